import { allCases, type Case, engineCases } from './case.ts'
import { startCrashWorld } from './crash-world.ts'
import { isWell, lineOf, placeOf, recoveryOf, summaryOf } from './report.ts'
import { Crashes, type Result } from './run-case.ts'

/** `npm run test:crash`: every crash, or those whose line contains each of the given words. Exits with 1 when one is not well. */
if (import.meta.main) {
  const words = process.argv.slice(2)
  const isWanted = (crash: Case) => words.every(word => `${placeOf(crash)} ${crash.failpoint}`.includes(word))
  const results = [
    ...(await runAll(allCases().filter(isWanted), 'shared')),
    ...(await runAll(engineCases().filter(isWanted), 'own')),
  ]
  process.stdout.write(`\nmedian recovery: ${recoveryOf(results)}\n${summaryOf(results)}\n`)
  process.exitCode = results.every(isWell) ? 0 : 1
}

async function runAll(cases: readonly Case[], engine: 'shared' | 'own'): Promise<readonly Result[]> {
  if (cases.length === 0) {
    return []
  }
  await using stack = new AsyncDisposableStack()
  const crashes = new Crashes(await startCrashWorld(stack, { engine }))
  const results: Result[] = []
  for (const crash of cases) {
    const result = await crashes.run(crash)
    results.push(result)
    process.stdout.write(`${lineOf(result)}\n`)
  }
  return results
}

import { parseArgs } from 'node:util'
import { allCases, type Case, engineCases } from './case.ts'
import { runInLanes } from './lanes.ts'
import { isWell, lineOf, placeOf, recoveryOf, summaryOf, tableOf } from './report.ts'

/**
 * `npm run test:crash`: every crash, or those whose line contains each of the given words. Worlds of their own share the
 * work (`--shards 2`). Exits with 1 when one is not well, or did not happen.
 */
if (import.meta.main) {
  const { values, positionals: words } = parseArgs({
    allowPositionals: true,
    options: { shards: { type: 'string', default: '2' } },
  })
  const isWanted = (crash: Case) => words.every(word => `${placeOf(crash)} ${crash.failpoint}`.includes(word))
  const cases = [...allCases(), ...engineCases()].filter(isWanted)
  const startedAt = performance.now()
  const results = await runInLanes(cases, Number(values.shards), (result, done) => {
    const leftMs = ((performance.now() - startedAt) / done) * (cases.length - done)
    const left = `${Math.floor(leftMs / 60_000)}:${String(Math.round(leftMs / 1000) % 60).padStart(2, '0')}`
    say(`[${String(done).padStart(3)}/${cases.length}, ${left} left] ${lineOf(result)}`)
  })
  say(`\n${tableOf(results)}\n`)
  for (const result of results.filter(each => !isWell(each))) {
    say(lineOf(result))
  }
  say(`median recovery: ${recoveryOf(results)}`)
  say(summaryOf(results))
  process.exitCode = results.length === cases.length && results.every(isWell) ? 0 : 1
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

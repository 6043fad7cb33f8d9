import { parseArgs } from 'node:util'
import { allCases, type Case, engineCases } from './case.ts'
import { imageCrashes, imageCrashText, runImageCrashes } from './image-crashes.ts'
import { runInLanes } from './lanes.ts'
import { isWell, lineOf, placeOf, recoveryOf, summaryOf, tableOf, wentBackOf } from './report.ts'

const USAGE = `npm run test:crash -- [words] [--shards 2] [--list]
Kills manager, worker or engine at every failpoint and looks at what came of it (docs/decisions/0009).
Words choose the cases whose line contains each of them: npm run test:crash -- compose apply worker
  --shards  how many worlds share the work, each with a manager and a worker
  --list    only writes down the cases
  --help    this text
Exits with 1 when one is not well or did not happen, and when there is no such case.`

if (import.meta.main) {
  process.exitCode = await main(process.argv.slice(2))
}

/** Gives the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const wanted = read(args)
  if (typeof wanted === 'string') {
    say(`${wanted}\n\n${USAGE}`)
    return 1
  }
  if (wanted.help) {
    say(USAGE)
    return 0
  }
  const isWanted = (crash: Case) =>
    wanted.words.every(word => `${placeOf(crash)} ${crash.failpoint}`.includes(word))
  const cases = [...allCases(), ...engineCases()].filter(isWanted)
  const images = imageCrashes().filter(crash =>
    wanted.words.every(word => imageCrashText(crash).includes(word)),
  )
  if (cases.length + images.length === 0) {
    say(`No crash has all of these words in its line: ${wanted.words.join(' ')}. See them with --list.`)
    return 1
  }
  if (wanted.list) {
    cases.forEach(crash => void say(placeOf(crash).trimEnd()))
    images.forEach(crash => void say(imageCrashText(crash).trimEnd()))
    return 0
  }
  const isWell = cases.length === 0 || (await runAll(cases, wanted.shards))
  const isImageWell = images.length === 0 || (await runImageCrashes(images, say))
  return isWell && isImageWell ? 0 : 1
}

interface Wanted {
  readonly words: readonly string[]
  readonly shards: number
  readonly list: boolean
  readonly help: boolean
}

/** What is wrong with the arguments, if something is. */
function read(args: readonly string[]): Wanted | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        shards: { type: 'string', default: '2' },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    const shards = Number(values.shards)
    return Number.isInteger(shards) && shards > 0
      ? { words: positionals, shards, list: values.list, help: values.help }
      : `--shards takes a number from 1 on, not "${values.shards}".`
  } catch (error) {
    return (error as Error).message
  }
}

/** Whether all are well. */
async function runAll(cases: readonly Case[], shards: number): Promise<boolean> {
  const startedAt = performance.now()
  const results = await runInLanes(cases, shards, (result, done) => {
    const leftMs = ((performance.now() - startedAt) / done) * (cases.length - done)
    const left = `${Math.floor(leftMs / 60_000)}:${String(Math.round(leftMs / 1000) % 60).padStart(2, '0')}`
    say(`[${String(done).padStart(3)}/${cases.length}, ${left} left] ${lineOf(result)}`)
  })
  say(`\n${tableOf(results)}\n`)
  for (const result of results.filter(each => !isWell(each))) {
    say(lineOf(result))
  }
  say(`median recovery: ${recoveryOf(results)}`)
  say(wentBackOf(results))
  say(summaryOf(results))
  return results.length === cases.length && results.every(isWell)
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

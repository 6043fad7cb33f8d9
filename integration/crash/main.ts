import { parseArgs } from 'node:util'
import { allCases, type Case, engineCases } from './case.ts'
import { imageCrashes, imageCrashText, runImageCrashes } from './image-crashes.ts'
import { runInLanes } from './lanes.ts'
import { leaderCrashes, leaderCrashText, runLeaderCrashes } from './leader-crashes.ts'
import { isWell, lineOf, placeOf, recoveryOf, summaryOf, tableOf, wentBackOf } from './report.ts'
import type { Result } from './run-case.ts'
import { runStackCrashes, stackCrashes, stackCrashText } from './stack-crashes.ts'
import { runWriteBackCrashes, writeBackCrashes, writeBackCrashText } from './write-back-crashes.ts'

const USAGE = `npm run test:crash -- [words] [--shards 2] [--list]
Kills manager, worker or engine at every failpoint and looks at what came of it (docs/decisions/0009).
Words choose the cases whose line contains each of them: npm run test:crash -- compose apply worker
  --shards  how many worlds share the work, each with a manager and a worker
  --list    only writes down the cases
  --help    this text
Exits with 1 when one is not well or did not happen, and when there is no such case.`

interface Group {
  readonly texts: readonly string[]
  /** What is wrong after each of them. */
  run(): Promise<readonly (readonly string[])[]>
}

/** Crashes with a world of their own, of those whose text is wanted. */
const GROUPS: readonly ((isWanted: (text: string) => boolean) => Group)[] = [
  isWanted => {
    const crashes = imageCrashes().filter(each => isWanted(imageCrashText(each)))
    return { texts: crashes.map(imageCrashText), run: () => runImageCrashes(crashes, say) }
  },
  isWanted => {
    const crashes = stackCrashes().filter(each => isWanted(stackCrashText(each)))
    return { texts: crashes.map(stackCrashText), run: () => runStackCrashes(crashes, say) }
  },
  isWanted => {
    const crashes = writeBackCrashes().filter(each => isWanted(writeBackCrashText(each)))
    return { texts: crashes.map(writeBackCrashText), run: () => runWriteBackCrashes(crashes, say) }
  },
  isWanted => {
    const crashes = leaderCrashes().filter(each => isWanted(leaderCrashText(each)))
    const run = async () => (await runLeaderCrashes(crashes, say)).map(({ wrong }) => wrong)
    return { texts: crashes.map(leaderCrashText), run }
  },
]

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
  const groups = GROUPS.map(group => group(text => wanted.words.every(word => text.includes(word))))
  const texts = [...cases.map(placeOf), ...groups.flatMap(group => group.texts)]
  if (texts.length === 0) {
    say(`No crash has all of these words in its line: ${wanted.words.join(' ')}. See them with --list.`)
    return 1
  }
  if (wanted.list) {
    texts.forEach(text => void say(text.trimEnd()))
    return 0
  }
  const results = cases.length === 0 ? [] : await runAll(cases, wanted.shards)
  const others: (readonly string[])[] = []
  for (const { texts: ofGroup, run } of groups) {
    others.push(...(ofGroup.length === 0 ? [] : await toItsEnd(ofGroup, run)))
  }
  say(summaryOf(results, others))
  const isAllWell = results.every(isWell) && others.every(wrong => wrong.length === 0)
  return isAllWell && results.length === cases.length ? 0 : 1
}

/** What cannot even begin, such as a part that does not start, makes the cases not well and ends nothing else. */
async function toItsEnd(
  cases: readonly unknown[],
  run: () => Promise<readonly (readonly string[])[]>,
): Promise<readonly (readonly string[])[]> {
  try {
    return await run()
  } catch (error) {
    say(`given up: ${(error as Error).message}`)
    return cases.map(() => [`did not happen: ${(error as Error).message}`])
  }
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

async function runAll(cases: readonly Case[], shards: number): Promise<readonly Result[]> {
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
  return results
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

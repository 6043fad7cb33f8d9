/**
 * Runs the integration tests and those in a browser: `node scripts/integration-tests.ts [--postgres] [files]`, all of
 * them without files. About half of the files have the store of their manager in PostgreSQL, always the same ones; with
 * --postgres all have that can (docs/decisions/0077).
 * A file in which something failed is run once more, alone (docs/decisions/0062): what fails then has failed, what does
 * not is named at the end. FAIRLEAD_TEST_ONCE=1 runs nothing twice.
 */
import { createHash } from 'node:crypto'
import { glob } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { inspect } from 'node:util'
import { startPostgresServer, WITHOUT_POSTGRES } from '#world/postgres-server.ts'

const ROOT = join(import.meta.dirname, '..')
/** Each file is a process of its own, and so is each call of the command line: what they share is compiled once. */
process.env.NODE_COMPILE_CACHE ??= join(ROOT, '.cache/compile')

/** Where more files fail it is not the machine, and a second time would only take long. */
const MOST_AGAIN = 3

/** They take the longest, and come first: begun last, one of them would go on alone while a core has nothing to do. */
const FIRST = [
  'integration/deadlines.test.ts',
  'integration/compose-switch.test.ts',
  'integration/host-faults.test.ts',
  'e2e/web.test.ts',
  'integration/system-cluster.test.ts',
  'integration/crash.test.ts',
  'integration/conventions.test.ts',
  'integration/system-hosts.test.ts',
  'integration/notebook-journey.test.ts',
  'integration/systems.test.ts',
]
/** Files at once, on two cores: most of their time they wait for an engine, a disk or a clock. */
const AT_ONCE = 3
const MOST_NAMED = 12

/** What is lost once in many runs is what these look for. */
const FINAL = ['integration/crash.test.ts', 'integration/reattach.test.ts']

interface Outcome {
  readonly tests: number
  readonly skipped: number
  /** Names of the tests that failed, by file. */
  readonly failed: ReadonlyMap<string, readonly string[]>
  /** By file. */
  readonly seconds: ReadonlyMap<string, number>
}

const words = process.argv.slice(2)
const onlyPostgres = words[0] === '--postgres'
const chosen = onlyPostgres ? words.slice(1) : words
const patterns = ['integration/**/*.test.ts', 'e2e/**/*.test.ts']
const files =
  chosen.length > 0
    ? chosen
    : [...new Set([...FIRST, ...(await Array.fromAsync(glob(patterns, { cwd: ROOT }))).sort()])]
await using stack = new AsyncDisposableStack()
if (!WITHOUT_POSTGRES) {
  // Read by integration/world/system-database.ts.
  process.env.FAIRLEAD_TEST_DATABASE = (await startPostgresServer(stack)).url
  process.env.FAIRLEAD_TEST_DATABASE_FILES = files.filter(file => onlyPostgres || isEven(file)).join('\n')
}
const first = await runAll(files, AT_ONCE)
const again = [...first.failed.keys()]
const isFinal = again.length > MOST_AGAIN || again.some(file => FINAL.includes(file))
const mayRepeat = again.length > 0 && !isFinal && !process.env.FAIRLEAD_TEST_ONCE
if (mayRepeat) {
  say(`\nOnce more, alone: ${again.join(', ')}\n`)
}
const second = mayRepeat ? await runAll(again, 1) : first
const lost = [...second.failed.values()].flat().length
const unsteady = mayRepeat ? again.filter(file => !second.failed.has(file)) : []

say('')
for (const file of unsteady) {
  say(`unsteady: ${file} failed at first and passed alone: ${first.failed.get(file)?.join('; ')}`)
}
nameLongest(first.seconds)
const { tests, skipped } = first
const counts = { tests, pass: tests - skipped - lost, fail: lost, skipped, unsteady: unsteady.length }
Object.entries(counts).forEach(([what, count]) => void say(`ℹ ${what} ${count}`))
process.exitCode = second.failed.size === 0 ? 0 : 1

async function runAll(paths: readonly string[], concurrency: number): Promise<Outcome> {
  const failed = new Map<string, string[]>()
  const seconds = new Map<string, number>()
  let tests = 0
  let skipped = 0
  const stream = run({ cwd: ROOT, files: paths.map(path => join(ROOT, path)), concurrency })
  stream.on('test:fail', ({ file = '', name, details, todo }) => {
    const path = runOf(relative(ROOT, file), paths)
    // A suite fails with its tests, which are counted already, or by a hook of its own.
    const { failureType, cause } = details.error as { failureType?: string; cause?: unknown }
    if (!todo && !(details.type === 'suite' && failureType === 'subtestsFailed')) {
      failed.set(path, [...(failed.get(path) ?? []), name])
      tellSuppressed(name, cause)
    }
  })
  stream.on('test:summary', ({ file, counts, duration_ms: took }) => {
    if (file === undefined) {
      tests = counts.tests
      skipped = counts.skipped
    } else {
      seconds.set(relative(ROOT, file), took / 1000)
    }
  })
  for await (const text of stream.compose(new spec())) {
    process.stdout.write(text as string)
  }
  return { tests, skipped, failed, seconds }
}

/** By its name: a new file changes nothing for the others. */
function isEven(file: string): boolean {
  return (createHash('sha256').update(file).digest()[0] ?? 0) % 2 === 0
}

/** The file that was run: a test may stand in another one, beside it, which by itself would run nothing. */
function runOf(path: string, paths: readonly string[]): string {
  return paths.includes(path) ? path : (paths.find(each => dirname(each) === dirname(path)) ?? path)
}

/** The reporter shows what the clean-up met with, and not what went wrong before. */
function tellSuppressed(name: string, error: unknown): void {
  // From the process of the test it comes as a copy.
  const { error: later, suppressed } = (error ?? {}) as Partial<SuppressedError>
  if (suppressed !== undefined) {
    say(`${name}: ${inspect(suppressed)}\nand then: ${inspect(later)}`)
  }
}

function nameLongest(seconds: ReadonlyMap<string, number>): void {
  const longest = [...seconds].sort(([, one], [, other]) => other - one).slice(0, MOST_NAMED)
  const names = longest.map(([file, took]) => `${basename(file, '.test.ts')} ${took.toFixed(0)} s`)
  say(`ℹ longest ${names.join(', ')}`)
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

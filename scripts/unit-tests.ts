/**
 * Runs the unit tests. A file that changes nothing outside of its tests shares a process with others, because loading
 * the same modules again for each takes most of the time; the rest has a process each.
 * `node scripts/unit-tests.ts [patterns]`: those files, all of them without arguments.
 */
import { spawn } from 'node:child_process'
import { glob, readFile } from 'node:fs/promises'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')
/** Hooks at the top of a file would run for all files of the process; the others are of the process itself. */
const NEEDS_PROCESS =
  /\b(?:before|after|beforeEach|afterEach)\(|\bmock\.|\bprocess\.(?:env|chdir|umask|on|once)\b/

const alone: string[] = []
const together: string[] = []
const chosen = process.argv.slice(2)
const patterns = chosen.length > 0 ? chosen : ['src/**/*.test.ts', 'web/**/*.test.ts', 'bench/*.test.ts']
for await (const file of glob(patterns, { cwd: ROOT })) {
  const text = await readFile(join(ROOT, file), 'utf8')
  ;(NEEDS_PROCESS.test(text) ? alone : together).push(file)
}
together.sort()
const half = (rest: number) => together.filter((_, index) => index % 2 === rest)
const shared = await Promise.all([0, 1].map(rest => run(['--test-isolation=none'], half(rest), 'pipe')))
for (const { output } of shared) {
  process.stdout.write(output)
}
const { code } = await run(['--test-concurrency=2'], alone.sort(), 'inherit')
process.exitCode = [...shared, { code }].every(each => each.code === 0) ? 0 : 1

/** What it prints comes at its end when it runs beside another. */
async function run(
  options: readonly string[],
  files: readonly string[],
  stdout: 'pipe' | 'inherit',
): Promise<{ readonly code: number | null; readonly output: Buffer }> {
  if (files.length === 0) {
    // Without files it would look for tests everywhere, and find the program that starts this one.
    return { code: 0, output: Buffer.alloc(0) }
  }
  const env = { ...process.env, NODE_COMPILE_CACHE: join(ROOT, '.cache/compile') }
  const child = spawn(process.execPath, ['--test', ...options, ...files], {
    ...{ cwd: ROOT, env },
    stdio: ['ignore', stdout, 'inherit'],
  })
  const chunks: Buffer[] = []
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk))
  const { promise, resolve, reject } = Promise.withResolvers<number | null>()
  child.on('error', reject)
  child.on('close', resolve)
  return { code: await promise, output: Buffer.concat(chunks) }
}

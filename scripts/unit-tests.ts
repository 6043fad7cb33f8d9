/**
 * Runs the unit tests. Files share two processes, because loading the same modules again for each takes most of the
 * time; those that change or measure the process itself have one each.
 * `node scripts/unit-tests.ts [patterns]`: those files, all of them without arguments.
 */
import { spawn } from 'node:child_process'
import { glob, readFile } from 'node:fs/promises'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')
const SHARED = join(import.meta.dirname, 'shared-tests.ts')
const NEEDS_PROCESS = /\bmock\.|\bprocess\.(?:env|chdir|umask|on|once|memoryUsage)\b|\bgc\(/

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
const shared = await Promise.all(
  [0, 1].map(half).map(files => run({ tests: files, files: ['--test-isolation=none', SHARED] }, 'pipe')),
)
for (const { output } of shared) {
  process.stdout.write(output)
}
const last = await run({ tests: alone, files: ['--test-concurrency=2', ...alone.sort()] }, 'inherit')
process.exitCode = [...shared, last].every(each => each.code === 0) ? 0 : 1

/** What it prints comes at its end when it runs beside another. */
async function run(
  { tests, files }: { readonly tests: readonly string[]; readonly files: readonly string[] },
  stdout: 'pipe' | 'inherit',
): Promise<{ readonly code: number | null; readonly output: Buffer }> {
  if (tests.length === 0) {
    // Without files it would look for tests everywhere, and find the program that starts this one.
    return { code: 0, output: Buffer.alloc(0) }
  }
  const env = {
    ...process.env,
    NODE_COMPILE_CACHE: join(ROOT, '.cache/compile'),
    SHARED_TESTS: tests.join('\n'),
  }
  const child = spawn(process.execPath, ['--test', ...files], {
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

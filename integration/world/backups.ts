import { equal } from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { partCommandLine } from '#cli/parts.ts'
import type { BackupRequest } from '#contract/backup.ts'
import { command } from './command.ts'
import { until } from './traces.ts'

const PROGRAM = join(import.meta.dirname, '../../bin/fairlead')

/** What the command line answers, on the data of a machine. */
export async function fairlead<T>(data: string, ...words: readonly string[]): Promise<T> {
  return await fairleadWith<T>(data, words, {})
}

type Environment = Readonly<Record<string, string>>

export async function fairleadWith<T>(data: string, words: readonly string[], env: Environment): Promise<T> {
  const { code, stdout } = await command(PROGRAM, ['--json', '--data', data, ...words], { folder: data, env })
  equal(code, 0, stdout)
  return JSON.parse(stdout) as T
}

/** Lets the manager's program do this as far as the failpoint, and kills it there. */
export async function killedBackup(
  data: string,
  request: BackupRequest,
  { place, environment = {} }: { readonly place: string; readonly environment?: Environment },
): Promise<void> {
  const failpoints = join(data, 'failpoints')
  await writeFile(failpoints, place)
  await mkdir(join(data, 'manager'), { recursive: true })
  const folder = dirname(data)
  const paths = { read: [folder], written: [folder] }
  const part = { name: 'manager', data, environment, arguments: ['backup'], paths } as const
  const { program, args, env } = partCommandLine(part)
  const child = spawn(program, args, {
    env: { ...env, NODE_ENV: 'test', TEST_FAILPOINTS: failpoints },
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  const closed = once(child, 'close')
  child.stdin.end(JSON.stringify(request))
  await until(`it stops at "${place}"`, async () => {
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8')
    return /^State:\s+T/m.test(status)
  })
  child.kill('SIGKILL')
  await closed
}

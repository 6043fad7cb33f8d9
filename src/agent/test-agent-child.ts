import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Reached } from './test-manager.ts'

export interface Killable extends Reached {
  readonly child: ChildProcess
}

/** Starts test-agent-process.ts in a folder; it is killed after the test, if it was not before. */
export async function startAgentProcess(
  t: TestContext,
  folder: string,
  known: Omit<Reached, 'address'>,
): Promise<Killable> {
  const main = join(import.meta.dirname, 'test-agent-process.ts')
  const child = spawn(process.execPath, [main, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  const [port] = await once(child.stdout, 'data')
  return { ...known, address: `127.0.0.1:${String(port).trim()}`, child }
}

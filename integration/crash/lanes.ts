import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Case } from './case.ts'
import type { Result } from './run-case.ts'

const LANE = join(import.meta.dirname, 'lane.ts')

/** Runs the cases in processes with a world each; whichever is free takes the next case. */
export async function runInLanes(
  cases: readonly Case[],
  lanes: number,
  tell: (result: Result, done: number) => void,
): Promise<readonly Result[]> {
  const results: Result[] = []
  let next = 0
  async function run(): Promise<void> {
    const lane = fork(LANE, { stdio: 'inherit' })
    const ended = once(lane, 'exit')
    lane.on('message', message => {
      results.push(message as Result)
      tell(message as Result, results.length)
      give()
    })
    const give = () => void (next < cases.length ? lane.send(cases[next++] as Case) : lane.disconnect())
    give()
    await ended
  }
  await Promise.all(Array.from({ length: Math.min(lanes, cases.length) }, run))
  return results
}

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Case } from './case.ts'
import type { Result } from './run-case.ts'

const LANE = join(import.meta.dirname, 'lane.ts')

/**
 * Runs the cases in processes with a world each; whichever is free takes the next one. Those that kill the engine go to
 * one process, and first: they need an engine of their own, and take longest.
 */
export async function runInLanes(
  cases: readonly Case[],
  lanes: number,
  tell: (result: Result, done: number) => void,
): Promise<readonly Result[]> {
  const results: Result[] = []
  const { true: withEngine = [], false: others = [] } = Object.groupBy(cases, ({ victim }) =>
    victim === 'engine' ? 'true' : 'false',
  )
  const batches = [withEngine, ...others.map(crash => [crash])].filter(batch => batch.length > 0)

  async function run(): Promise<void> {
    const lane = fork(LANE, { stdio: 'inherit' })
    const ended = once(lane, 'exit')
    let left = 0
    const give = () => {
      const batch = batches.shift()
      if (batch) {
        left = batch.length
        batch.forEach(crash => void lane.send(crash))
      } else {
        lane.disconnect()
      }
    }
    lane.on('message', message => {
      const result = message as Result
      results.push(result)
      tell(result, results.length)
      left -= 1
      if (left === 0) {
        give()
      }
    })
    give()
    await ended
  }

  await Promise.all(Array.from({ length: Math.min(lanes, batches.length) }, run))
  return results
}

import { readFile, stat } from 'node:fs/promises'
import type { World } from '#cli/demo/world.ts'
import type { DeploymentDetail } from '#contract/rest/deployments.ts'
import { processorTimeOf } from './processes.ts'

/**
 * Time in Fairlead's own code during a deployment. The wall-clock time in which the worker executed no command is the
 * manager's, its database's and the link's. Within commands the worker mostly waits for Git, the engine and the
 * registry; what it does itself is its processor time.
 */
export interface OwnTime {
  readonly besideCommandsMs: number
  readonly workerProcessorMs: number
}

interface LogLine {
  readonly time: string
  readonly event: string
  readonly id?: string
}

type Interval = readonly [from: number, to: number]

/** Begins to watch; `of` gives the own time of the deployment that ran meanwhile. */
export async function watchOwnTime({
  together,
}: World): Promise<{ of(deployment: DeploymentDetail): Promise<OwnTime> }> {
  const { worker } = together
  const from = (await stat(worker.logFile)).size
  const processor = await processorTimeOf(worker.pid)
  return {
    async of({ started_at, finished_at }) {
      const text = (await readFile(worker.logFile)).subarray(from).toString()
      const whole: Interval = [Date.parse(started_at ?? ''), Date.parse(finished_at ?? '')]
      return {
        besideCommandsMs: whole[1] - whole[0] - covered(commandIntervals(text), whole),
        workerProcessorMs: (await processorTimeOf(worker.pid)) - processor,
      }
    },
  }
}

function commandIntervals(log: string): Interval[] {
  const started = new Map<string, number>()
  const intervals: Interval[] = []
  for (const line of log.split('\n').filter(text => text !== '')) {
    const { event, id = '', time } = JSON.parse(line) as LogLine
    const from = started.get(id)
    if (event === 'command.started') {
      started.set(id, Date.parse(time))
    } else if (event === 'command.ended' && from !== undefined) {
      intervals.push([from, Date.parse(time)])
    }
  }
  return intervals
}

/** How much of the whole lies in at least one of the intervals. */
function covered(intervals: readonly Interval[], [start, end]: Interval): number {
  let sum = 0
  let reached = start
  for (const [from, to] of [...intervals].sort((a, b) => a[0] - b[0])) {
    const begin = Math.max(from, reached)
    const until = Math.min(to, end)
    if (until > begin) {
      sum += until - begin
      reached = until
    }
  }
  return sum
}

import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pushAndTell } from '#cli/demo/watch-push.ts'
import type { World } from '#cli/demo/world.ts'
import type { Session } from '#cli/session.ts'
import type { DeploymentDetail } from '#contract/rest/deployments.ts'
import type { Contender } from './bench-world.ts'
import type { Figure } from './figure.ts'
import { median } from './median.ts'
import { processorTimeOf } from './processes.ts'
import { pageOf } from './tiny-app.ts'
import { untilEnd } from './until-end.ts'

/** Every question costs the machine something. */
const LOOK_EVERY_MS = 200
/** No page of another measure. */
const FIRST_PAGE = 10_000

/**
 * Time in Fairlead's own code during a deployment. The wall-clock time in which the worker executed no command is the
 * manager's, its database's and the link's. Within commands the worker mostly waits for Git, the engine and the
 * registry; what it does itself is its processor time, all of it: also what it does while a program runs, which keeps
 * nobody waiting, and what it does between commands, which is counted twice.
 */
export interface OwnTime {
  readonly besideCommandsMs: number
  readonly workerProcessorMs: number
  /** Only for a closer look: what of it kept somebody waiting is in besideCommandsMs. */
  readonly managerProcessorMs: number
}

/** P11: deployments that nobody watches; `watched` are those during which the bench asked for the page all the time. */
export async function measureOwnTime(
  session: Session,
  world: World,
  { contender, runs, watched }: { contender: Contender; runs: number; watched: readonly OwnTime[] },
): Promise<Figure[]> {
  const { repository, hook, app } = contender
  const own: OwnTime[] = []
  for (let run = 0; run < runs; run++) {
    await writeFile(join(repository.folder, 'app/page'), pageOf(FIRST_PAGE + run))
    await repository.commit(`unwatched ${run}`)
    const watch = await watchOwnTime(world)
    const { deployments } = await pushAndTell(session, { repository, hook, gitServer: world.gitServer })
    own.push(await watch.of(await untilEnd(session, deployments[0] ?? '', LOOK_EVERY_MS)))
  }
  const of = (time: keyof OwnTime, all: readonly OwnTime[] = own) =>
    Math.round(median(all.map(each => each[time])))
  return [
    {
      id: 'P11',
      what: `${app.form}: own code per deployment`,
      value: median(own.map(sumOf)),
      unit: 'ms',
      target: '<= 150',
      samples: own.map(sumOf),
      note: [
        `${of('besideCommandsMs')} ms in which no command was at work`,
        `and ${of('workerProcessorMs')} ms of processor time of the worker (manager ${of('managerProcessorMs')})`,
        `with visitors all the while ${of('besideCommandsMs', watched)} + ${of('workerProcessorMs', watched)}`,
      ].join(', '),
    },
  ]
}

function sumOf({ besideCommandsMs, workerProcessorMs }: OwnTime): number {
  return besideCommandsMs + workerProcessorMs
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
  const { worker, manager } = together
  const from = (await stat(worker.logFile)).size
  const ofWorker = await processorTimeOf(worker.pid)
  const ofManager = await processorTimeOf(manager.pid)
  return {
    async of({ started_at, finished_at }) {
      const text = (await readFile(worker.logFile)).subarray(from).toString()
      const whole: Interval = [Date.parse(started_at ?? ''), Date.parse(finished_at ?? '')]
      return {
        besideCommandsMs: whole[1] - whole[0] - covered(commandIntervals(text), whole),
        workerProcessorMs: (await processorTimeOf(worker.pid)) - ofWorker,
        managerProcessorMs: (await processorTimeOf(manager.pid)) - ofManager,
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

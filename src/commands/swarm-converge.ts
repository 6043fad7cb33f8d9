import type { FairleadError } from '#lib/errors.ts'
import { taskLog, updateAgain } from '#programs/docker-swarm.ts'
import type { SwarmNode, SwarmTask } from '#programs/swarm-facts.ts'
import type { Hands } from './command.ts'
import { SWARM_NOT_CONVERGED, SWARM_ROLLED_BACK, SWARM_TASKS_FAIL } from './swarm-errors.ts'
import { ownServices, shortName, swarmNodes } from './swarm-reach.ts'
import { isCurrent, runningTasks, type SeenService, seeServices, whatIsMissing } from './swarm-seen.ts'

const PAUSE_MS = 250
/** Starting again while a database comes up is usual; the swarm waits 5 s each time. */
const FAILURES_TOLERATED = 2
const LOG_LINES = 20
const REASONS_TOLD = 3
const STEADY_MS = 2_000
/** States before a task runs. */
const STARTING = ['new', 'pending', 'assigned', 'accepted', 'preparing', 'ready', 'starting']

export interface StackGoal {
  readonly app: string
  readonly stack: string
  /** Short names of all services. */
  readonly services: readonly string[]
  /** Ids of tasks that were there before: what became of them says nothing about this release. */
  readonly before: ReadonlySet<string>
  readonly withinMs: number
}

/**
 * Waits until every service is as wanted: all tasks from what was asked for, running, healthy, and no update under way.
 * Throws as soon as the swarm gave one up, or tasks fail again and again.
 */
export async function convergeStack(hands: Hands, goal: StackGoal): Promise<readonly SeenService[]> {
  const began = hands.clock.monotonic()
  const abandoned = new Set<string>()
  const since = new Map<string, number>()
  let told = ''
  for (;;) {
    hands.signal.throwIfAborted()
    const seen = await seeServices(hands, goal.stack, await ownServices(hands, goal))
    for (const each of seen) {
      await refuseFailure(hands, goal, each)
      await goOnWithoutNode(hands, each, abandoned)
    }
    const waiting =
      firstWaiting(goal, seen) ?? firstUnsteady(goal, seen, { since, now: hands.clock.monotonic() })
    if (waiting === undefined) {
      return seen
    }
    if (hands.clock.monotonic() - began > goal.withinMs) {
      throw await gaveUp(hands, goal, { ...waiting, seen })
    }
    const words = `${waiting.name}: ${waiting.what}`
    if (words !== told) {
      hands.say(words, 'info')
      told = words
    }
    await hands.clock.sleep(PAUSE_MS, hands.signal)
  }
}

function firstWaiting(
  { stack, services }: StackGoal,
  seen: readonly SeenService[],
): { readonly name: string; readonly what: string } | undefined {
  for (const name of services) {
    const found = seen.find(each => shortName(stack, each.service.name) === name)
    const what = found ? whatIsMissing(found) : 'the swarm has no such service yet'
    if (what !== undefined) {
      return { name, what }
    }
  }
  return undefined
}

interface Steadiness {
  /** When a task was first seen running. */
  readonly since: Map<string, number>
  readonly now: number
}

/** What cannot be asked for its health must keep running for a moment: a program that ends at once runs too, at first. */
function firstUnsteady(
  { stack, before }: StackGoal,
  seen: readonly SeenService[],
  { since, now }: Steadiness,
): { readonly name: string; readonly what: string } | undefined {
  let unsteady: string | undefined
  for (const each of seen.filter(({ service }) => !service.hasHealthCheck)) {
    for (const { id } of runningTasks(each).filter(task => !before.has(task.id))) {
      const from = since.get(id) ?? now
      since.set(id, from)
      unsteady = now - from < STEADY_MS ? (unsteady ?? each.service.name) : unsteady
    }
  }
  return unsteady === undefined
    ? undefined
    : { name: shortName(stack, unsteady), what: 'it does not keep running' }
}

async function refuseFailure(hands: Hands, goal: StackGoal, seen: SeenService): Promise<void> {
  const { service } = seen
  const name = shortName(goal.stack, service.name)
  const state = service.update?.state ?? ''
  // Only when it is over: what comes next must not meet a rollback that is under way.
  if (state === 'rollback_completed' || state === 'rollback_paused' || state === 'paused') {
    // The tasks that failed were of the release that is gone already.
    const failed = failedTasks(goal, seen)
    const why = await reasonOf(hands, failed, service.update?.message || state)
    throw await withLog(hands, failed, SWARM_ROLLED_BACK(name, why))
  }
  if (state === 'updating' || state === 'rollback_started') {
    return
  }
  const failed = failedTasks(goal, seen).filter(each => isCurrent(each, service))
  if (failed.length > FAILURES_TOLERATED) {
    throw await withLog(hands, failed, SWARM_TASKS_FAIL(name, await reasonOf(hands, failed, 'they end')))
  }
}

/** The swarm itself would wait until the node is back: once for each task that was lost, its update begins anew. */
async function goOnWithoutNode(
  hands: Hands,
  { service, tasks }: SeenService,
  abandoned: Set<string>,
): Promise<void> {
  if (service.update?.state !== 'updating') {
    return
  }
  const starting = tasks.filter(each => isCurrent(each, service) && STARTING.includes(each.state))
  const fresh = starting.filter(each => each.nodeId !== '' && !abandoned.has(each.id))
  if (fresh.length === 0) {
    return
  }
  const nodes = await swarmNodes(hands)
  for (const task of fresh) {
    const node = nodes.find(each => each.id === task.nodeId)
    if (node?.state === 'down') {
      hands.say(
        `${node.name} went down with a task of ${service.name}: its update begins anew without it`,
        'info',
      )
      if (await hands.perform(updateAgain(hands.host.dockerSocket, service, task.id))) {
        abandoned.add(task.id)
      }
      return
    }
  }
}

/** Newest first. */
function failedTasks({ before }: StackGoal, { tasks }: SeenService): readonly SwarmTask[] {
  return tasks
    .filter(each => (each.state === 'failed' || each.state === 'rejected') && !before.has(each.id))
    .toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1))
}

async function gaveUp(
  hands: Hands,
  { withinMs, stack }: StackGoal,
  {
    name,
    what,
    seen,
  }: { readonly name: string; readonly what: string; readonly seen: readonly SeenService[] },
): Promise<FairleadError> {
  const tasks = seen.find(each => shortName(stack, each.service.name) === name)?.tasks ?? []
  const last = tasks.filter(each => each.desired === 'running' && each.state !== 'running')
  return withLog(hands, last, SWARM_NOT_CONVERGED(name, what, Math.round(withinMs / 1_000)))
}

/** `task 2 on node-b: task: non-zero exit (3)`, each reason once. */
async function reasonOf(hands: Hands, failed: readonly SwarmTask[], otherwise: string): Promise<string> {
  if (failed.length === 0) {
    return otherwise
  }
  const nodes = await swarmNodes(hands)
  const reasons = new Map<string, string>()
  for (const task of failed) {
    const words = task.error || `it is ${task.state}`
    if (!reasons.has(words)) {
      reasons.set(words, `${placeOf(task, nodes)}: ${words}`)
    }
  }
  return [...reasons.values()].slice(0, REASONS_TOLD).join('; ')
}

function placeOf({ slot, nodeId }: SwarmTask, nodes: readonly SwarmNode[]): string {
  const node = nodes.find(each => each.id === nodeId)?.name
  return `${slot === 0 ? 'a task' : `task ${slot}`}${node === undefined ? '' : ` on ${node}`}`
}

async function withLog(
  hands: Hands,
  tasks: readonly SwarmTask[],
  error: FairleadError,
): Promise<FairleadError> {
  const task = tasks.find(each => each.containerId !== '')
  if (!task) {
    return error
  }
  const lines: string[] = []
  const onLine = (text: string, stream: 'stdout' | 'stderr') => {
    lines.push(text.slice(0, 2_000))
    hands.say(text, stream)
  }
  // Its node may be gone, and the log with it.
  await hands
    .perform(taskLog(hands.host.dockerSocket, { task: task.id, tail: LOG_LINES, onLine }))
    .catch(() => undefined)
  return error.with({ facts: { task: task.id, exitCode: task.exitCode ?? null, log: lines } })
}

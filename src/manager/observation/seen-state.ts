import type { Selectable } from 'kysely'
import { ASLEEP } from '#commands/container-data.ts'
import type { SeenContainer } from '#commands/host-observe.ts'
import type { SeenCluster } from '#contract/cluster.ts'
import type { SeenEngine } from '#contract/engine.ts'
import type { WireError } from '#lib/errors.ts'
import type { AppTable } from '#manager/store/tables.ts'
import { targetNamed } from '#targets/index.ts'
import type { Finding } from './drift.ts'

export type AppState =
  | 'running'
  /** Stopped because nobody worked with it; a visitor wakes it. */
  | 'asleep'
  | 'degraded'
  /** Nothing of it runs. Without a reason: because a person wants that. */
  | 'stopped'
  | 'missing'
  | 'not-deployed'
  | 'unknown'
  | 'nothing-to-run'

/** What an app's row keeps of the last look at its host that showed something else than the one before. */
export interface Observation {
  /** ms since 1970. */
  readonly since: number
  readonly containers: readonly SeenContainer[]
}

/** It makes something for others to fetch: that no container is there is as it should be. */
export function runsNothing({ target }: Pick<Selectable<AppTable>, 'target'>): boolean {
  return targetNamed(target)?.artifact !== undefined
}

/** Of an app's row. */
export function readObserved({ observed }: Pick<Selectable<AppTable>, 'observed'>): Observation | undefined {
  return observed === null ? undefined : (JSON.parse(observed) as Observation)
}

/** What is known of how an app does, with its age. */
export interface ObservedStatus {
  readonly state: AppState
  /** Why it is not known, or what is not as it should be. */
  readonly reason: string | null
  /** When its host was asked last for what it then told, in ms since 1970. */
  readonly at: number | null
  readonly containers: readonly SeenContainer[]
}

export interface SeenHost {
  readonly isConnected: boolean
  readonly observedAt: number | null
  /** The error of the last look, when it did not work. */
  readonly unseen: (WireError & { readonly since: number }) | undefined
  /** Why the engine of the app could not be looked at. */
  readonly engineProblem?: string | undefined
}

/** Undefined: the engine that the app is on was seen. */
export function engineProblemOf({
  engine,
  engines,
  target,
  name,
  systems_unseen = null,
  cluster = null,
}: {
  readonly target?: string
  readonly name?: string
  /** Why system containers of its host could not be seen. */
  readonly systems_unseen?: string | null
  /** JSON of the cluster of its host. */
  readonly cluster?: string | null
  readonly engine: string | null
  /** JSON of the engines of its host. */
  readonly engines: string | null
}): string | undefined {
  if (target === 'system' && systems_unseen !== null) {
    return systems_unseen
  }
  if (target === 'system' && cluster !== null) {
    const lost = (JSON.parse(cluster) as SeenCluster).outOfReach.find(each => each.name === name)
    return lost && `it is on "${lost.member}", a member of the cluster that does not answer`
  }
  if (engine === null) {
    return undefined
  }
  const seen = (JSON.parse(engines ?? '[]') as SeenEngine[]).find(each => each.name === engine)
  return seen ? (seen.problem ?? undefined) : `its host has no engine "${engine}" any more`
}

/** Looks that may be missed before what they told is no longer taken for what is. */
const STALE_LOOKS = 3

export interface SeenOfApp {
  /** It has no containers by its nature. */
  readonly runsNothing?: boolean
  readonly observation: Observation | undefined
  readonly isReleased: boolean
  /** A person wants that nothing of it runs. */
  readonly isStopped?: boolean
  /** When its newest release was made, in ms since 1970. What was seen before is of something else. */
  readonly releasedAt?: number | undefined
  /** What was not as the last deployment left it. */
  readonly findings: readonly Finding[]
}

/** What may be said of an app now: never that it runs when nobody could see it. Pure. */
export function statusOf(
  app: SeenOfApp,
  host: SeenHost,
  { now, everyMs }: { readonly now: number; readonly everyMs: number },
): ObservedStatus {
  const containers = app.observation?.containers ?? []
  const last = { at: host.observedAt, containers }
  if (!app.isReleased && containers.length === 0) {
    return { state: 'not-deployed', reason: null, ...last }
  }
  if (app.runsNothing) {
    return { state: 'nothing-to-run', reason: null, ...last }
  }
  if (app.isStopped && !containers.some(each => each.state === 'running')) {
    return { state: 'stopped', reason: null, ...last }
  }
  const blind = whyUnknown(host, { now, everyMs }) ?? whyOutdated(app, host)
  return blind === undefined
    ? { ...judge(containers, app.findings), ...last }
    : { state: 'unknown', reason: blind, ...last }
}

function whyUnknown(
  { isConnected, observedAt, unseen, engineProblem }: SeenHost,
  { now, everyMs }: { readonly now: number; readonly everyMs: number },
): string | undefined {
  if (!isConnected) {
    return 'the worker of its host is not connected'
  }
  if (unseen) {
    return unseen.message
  }
  if (engineProblem !== undefined) {
    return engineProblem
  }
  if (observedAt === null) {
    return 'its host was not looked at yet'
  }
  return now - observedAt > STALE_LOOKS * everyMs
    ? `its host was not looked at for ${Math.round((now - observedAt) / 1000)} s`
    : undefined
}

function whyOutdated({ releasedAt = 0 }: SeenOfApp, { observedAt }: SeenHost): string | undefined {
  return observedAt !== null && observedAt < releasedAt
    ? 'its host was not looked at since its last deployment ended'
    : undefined
}

function judge(
  containers: readonly SeenContainer[],
  findings: readonly Finding[],
): Pick<ObservedStatus, 'state' | 'reason'> {
  const isAnyUp = containers.some(each => each.state === 'running')
  const fault = faultSeen(containers, findings)
  if (fault === undefined && (isAnyUp || containers.some(each => each.state === ASLEEP))) {
    return { state: isAnyUp ? 'running' : 'asleep', reason: null }
  }
  const reason = fault ?? 'none of its containers is running'
  const down = containers.length === 0 ? 'missing' : 'stopped'
  return { state: isAnyUp ? 'degraded' : down, reason }
}

/** The first thing that is wrong with what was seen of a released app. */
export function faultSeen(
  containers: readonly SeenContainer[],
  findings: readonly Finding[],
): string | undefined {
  if (containers.length === 0) {
    return 'it has no container'
  }
  const stopped = new Set(findings.flatMap(({ kind, container }) => (kind === 'stopped' ? [container] : [])))
  for (const each of containers) {
    const fault = faultOf(each, !stopped.has(each.id))
    if (fault !== undefined) {
      return `${each.name} ${fault}`
    }
  }
  // A deployment may have made it anew since.
  const isGone = ({ kind, what }: Finding) =>
    kind === 'missing' && !containers.some(({ name }) => name === what)
  return findings.find(isGone)?.reason
}

/** A container that ended with 0 has done its work, unless it is known as one that must run. */
function faultOf(
  { state, health, exitCode, service }: SeenContainer,
  mayComplete: boolean,
): string | undefined {
  if (state === ASLEEP) {
    return undefined
  }
  if (state === 'running') {
    return health === 'unhealthy' || health === 'starting' ? `is ${health}` : undefined
  }
  const isDone = mayComplete && service !== '' && state === 'exited' && exitCode === 0
  return isDone ? undefined : `is ${state}${state === 'exited' ? ` (exit code ${exitCode})` : ''}`
}

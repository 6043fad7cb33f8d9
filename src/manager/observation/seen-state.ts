import type { SeenContainer } from '#commands/host-observe.ts'
import type { WireError } from '#lib/errors.ts'

export type AppState = 'running' | 'degraded' | 'stopped' | 'missing' | 'not-deployed' | 'unknown'

/** What an app's row keeps of the last look at its host that showed something else than the one before. */
export interface Observation {
  /** ms since 1970. */
  readonly since: number
  readonly containers: readonly SeenContainer[]
}

/** What is known of how an app does, with its age. */
export interface ObservedStatus {
  readonly state: AppState
  /** Why it is not known, or what is not as it should be. */
  readonly reason: string | null
  /** When its host was looked at last, in ms since 1970. */
  readonly at: number | null
  readonly containers: readonly SeenContainer[]
}

export interface SeenHost {
  readonly isConnected: boolean
  readonly observedAt: number | null
  /** The error of the last look, when it did not work. */
  readonly unseen: (WireError & { readonly since: number }) | undefined
}

/** Looks that may be missed before what they told is no longer taken for what is. */
const STALE_LOOKS = 3

/** What may be said of an app now: never that it runs when nobody could see it. Pure. */
export function statusOf(
  app: { readonly observation: Observation | undefined; readonly isReleased: boolean },
  host: SeenHost,
  { now, everyMs }: { readonly now: number; readonly everyMs: number },
): ObservedStatus {
  const containers = app.observation?.containers ?? []
  const last = { at: host.observedAt, containers }
  if (!app.isReleased && containers.length === 0) {
    return { state: 'not-deployed', reason: null, ...last }
  }
  const blind = whyUnknown(host, { now, everyMs })
  return blind === undefined
    ? { ...judge(containers), ...last }
    : { state: 'unknown', reason: blind, ...last }
}

function whyUnknown(
  { isConnected, observedAt, unseen }: SeenHost,
  { now, everyMs }: { readonly now: number; readonly everyMs: number },
): string | undefined {
  if (!isConnected) {
    return 'the worker of its host is not connected'
  }
  if (unseen) {
    return unseen.message
  }
  if (observedAt === null) {
    return 'its host was not looked at yet'
  }
  return now - observedAt > STALE_LOOKS * everyMs
    ? `its host was not looked at for ${Math.round((now - observedAt) / 1000)} s`
    : undefined
}

function judge(containers: readonly SeenContainer[]): Pick<ObservedStatus, 'state' | 'reason'> {
  if (containers.length === 0) {
    return { state: 'missing', reason: 'it has no container' }
  }
  const bad = containers.filter(each => faultOf(each) !== undefined)
  const first = bad[0]
  if (!first) {
    return { state: 'running', reason: null }
  }
  const isAnyUp = containers.some(each => each.state === 'running')
  return { state: isAnyUp ? 'degraded' : 'stopped', reason: `${first.name} ${faultOf(first)}` }
}

/** A container that ended with 0 has done its work: only a deployment can say that it should not have. */
function faultOf({ state, health, exitCode, service }: SeenContainer): string | undefined {
  if (state === 'running') {
    return health === 'unhealthy' || health === 'starting' ? `is ${health}` : undefined
  }
  const isDone = service !== '' && state === 'exited' && exitCode === 0
  return isDone ? undefined : `is ${state}${state === 'exited' ? ` (exit code ${exitCode})` : ''}`
}

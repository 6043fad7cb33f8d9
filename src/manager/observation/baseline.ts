import type { Configuration, HostObserved, SeenContainer } from '#commands/host-observe.ts'
import type { Finding } from './drift.ts'

/** One container as a deployment left it. */
export interface BaselineContainer extends Configuration {
  readonly id: string
  readonly name: string
  readonly service: string
  readonly restarts: number
  /** It must run; another one may have done its work when it ended with 0. */
  readonly mustRun: boolean
}

/** What runs of an app after a deployment: what later looks are compared with. */
export interface Baseline {
  /** The deployment that left it so. */
  readonly deployment: string
  readonly containers: readonly BaselineContainer[]
  /** null: nobody could see them yet. */
  readonly routes: HostObserved['routes']
  /** What the hashes of private values were made with. */
  readonly key: string
}

/** What was seen of one app. */
export interface SeenApp extends Pick<HostObserved, 'configurations' | 'routes' | 'key' | 'network'> {
  readonly containers: readonly SeenContainer[]
  readonly foreign: readonly SeenContainer[]
}

/** The part of an answer that is about one app, on the engine that it is on. */
export function partOf(
  observed: HostObserved,
  app: string,
  { engine = null, id = '' }: { readonly engine?: string | null; readonly id?: string } = {},
): SeenApp {
  // A system container is told by the id of its app: its name is its owner's to change.
  const isOwn = (each: SeenContainer) => each.app === app || each.app === id
  const isHere = (each: SeenContainer) => (each.engine ?? null) === engine
  const { routes, engines: _, ...rest } = observed
  return {
    ...rest,
    containers: observed.containers
      .filter(each => isOwn(each) && isHere(each))
      .sort((a, b) => (a.id < b.id ? -1 : 1)),
    foreign: observed.foreign.filter(each => isOwn(each) && isHere(each)),
    routes:
      routes && Object.fromEntries(Object.entries(routes).filter(([name]) => name.split('.').at(-1) === app)),
  }
}

/** What was known when a deployment ended. */
export interface LeftBefore {
  readonly baseline: Baseline | undefined
  readonly findings: readonly Finding[]
  /** Services that its plan says must run. */
  readonly mustRun?: readonly string[]
}

/**
 * What a deployment left. A container that it did not make anew keeps what is known of it, so that a deployment of
 * something else does not make a change by hand the rule; only its place in the proxy's network may be new.
 */
export function takeBaseline(
  seen: SeenApp,
  deployment: string,
  before: LeftBefore = { baseline: undefined, findings: [] },
): Baseline {
  const extra = new Set(
    before.findings.flatMap(({ kind, container }) => (kind === 'extra' ? [container] : [])),
  )
  const comparable = before.baseline?.key === seen.key ? before.baseline.containers : []
  const containers = seen.containers.filter(each => !extra.has(each.id))
  return {
    deployment,
    containers: containers.map(each => {
      const known = comparable.find(({ id }) => id === each.id)
      return known ? withNewPlace(known, each, seen) : firstSeen(each, seen, before.mustRun ?? [])
    }),
    routes: seen.routes,
    key: seen.key,
  }
}

/** With what an earlier look could not tell; the same one when there is nothing to add. */
export function completeBaseline(baseline: Baseline, seen: SeenApp): Baseline {
  const containers = baseline.containers.map(each => {
    const found = each.parts === undefined ? seen.configurations[each.id] : undefined
    return found?.parts && found.fingerprint === each.fingerprint ? { ...each, parts: found.parts } : each
  })
  const routes = baseline.routes ?? seen.routes
  const isSame =
    routes === baseline.routes && containers.every((each, at) => each === baseline.containers[at])
  return isSame ? baseline : { ...baseline, containers, routes }
}

/** Id -> fingerprint of all configurations that need not be told again. */
export function knownOf(baselines: readonly Baseline[]): Record<string, string> {
  return Object.fromEntries(
    baselines.flatMap(({ containers }) =>
      containers.flatMap(({ id, fingerprint, parts }) => (parts ? [[id, fingerprint]] : [])),
    ),
  )
}

function firstSeen(each: SeenContainer, seen: SeenApp, planned: readonly string[]): BaselineContainer {
  const configuration = seen.configurations[each.id] ?? { fingerprint: '' }
  const hasEnded = each.state === 'exited' && each.exitCode === 0
  return {
    id: each.id,
    name: each.name,
    service: each.service,
    restarts: each.restarts,
    mustRun:
      planned.includes(each.service) ||
      (!(hasEnded && each.service !== '') && isServer(each, configuration, seen.network)),
    ...configuration,
  }
}

/** Something that others rely on: it has visitors, a port, a health check, or a policy that starts it again after any end. */
function isServer(each: SeenContainer, { parts = {} }: Configuration, network: string): boolean {
  return (
    each.service === '' ||
    each.health !== 'none' ||
    `network:${network}` in parts ||
    Object.keys(parts).some(part => part.startsWith('port:')) ||
    /^(?:always|unless-stopped)/.test(parts.restart ?? '')
  )
}

function withNewPlace(known: BaselineContainer, each: SeenContainer, seen: SeenApp): BaselineContainer {
  const now = seen.configurations[each.id]
  const place = `network:${seen.network}`
  if (!known.parts || !now?.parts || known.parts[place] === now.parts[place]) {
    return known
  }
  const { [place]: _, ...others } = known.parts
  const there = now.parts[place]
  const parts = there === undefined ? others : { ...others, [place]: there }
  const isSame = JSON.stringify(sorted(parts)) === JSON.stringify(sorted(now.parts))
  // Another fingerprint than any the worker makes: it tells all parts until they are the known ones.
  const mustRun = known.mustRun || there !== undefined
  return { ...known, mustRun, parts, fingerprint: isSame ? now.fingerprint : '' }
}

function sorted(parts: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(parts).sort(([a], [b]) => (a < b ? -1 : 1))
}

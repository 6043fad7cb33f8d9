import { ASLEEP } from '#commands/container-data.ts'
import type { SeenContainer } from '#commands/host-observe.ts'
import type { Baseline, BaselineContainer, SeenApp } from './baseline.ts'
import { differenceIn } from './part-words.ts'

export const FINDING_KINDS = [
  'missing',
  'stopped',
  'paused',
  'restarting',
  'unhealthy',
  'extra',
  'renamed',
  'image',
  'label',
  'environment',
  'mount',
  'file',
  'port',
  'network',
  'settings',
  'route',
] as const
export type FindingKind = (typeof FINDING_KINDS)[number]

/** One thing that is not as the last deployment left it. */
export interface Finding {
  readonly kind: FindingKind
  /** Name of the container or route. */
  readonly what: string
  /** In words, without a secret. */
  readonly reason: string
  /** Id of the container as it is now; null when there is none. */
  readonly container: string | null
  /** Of its configuration, which part. */
  readonly part?: string
}

/** What was seen and found at the look before. */
export interface LookBefore {
  readonly containers: readonly SeenContainer[]
  readonly findings: readonly Finding[]
}

/** So many new starts between two looks, or since the deployment while it is down, are a loop. */
const LOOP = 3

/** All that differs between what a deployment left and what is there now. Pure. */
export function driftOf(baseline: Baseline, seen: SeenApp, before: LookBefore): readonly Finding[] {
  const pairs = matched(baseline, seen)
  const unmatched = seen.containers.filter(each => !pairs.some(({ now }) => now === each))
  return [
    ...pairs.flatMap(({ was, now }) =>
      now ? containerFindings(was, now, { baseline, seen, before }) : [missing(was)],
    ),
    ...[...unmatched, ...seen.foreign].map(extra),
    ...routeFindings(baseline, seen),
  ]
}

interface Pair {
  readonly was: BaselineContainer
  readonly now: SeenContainer | undefined
}

/** By id; what was made anew by hand by its name; else by its service. */
function matched({ containers }: Baseline, seen: SeenApp): readonly Pair[] {
  const free = new Set(seen.containers)
  const found = new Map<BaselineContainer, SeenContainer>()
  const isFit: readonly ((was: BaselineContainer, now: SeenContainer) => boolean)[] = [
    (was, now) => was.id === now.id,
    (was, now) => was.service === now.service && was.name === now.name,
    (was, now) => was.service === now.service,
  ]
  for (const fits of isFit) {
    for (const was of containers) {
      const now = found.has(was) ? undefined : [...free].find(each => fits(was, each))
      if (now) {
        found.set(was, now)
        free.delete(now)
      }
    }
  }
  return containers.map(was => ({ was, now: found.get(was) }))
}

function missing(was: BaselineContainer): Finding {
  return { kind: 'missing', what: was.name, reason: `${was.name} is gone`, container: null }
}

function extra({ id, name, service }: SeenContainer): Finding {
  const of = service === '' ? 'it' : `the service ${service}`
  return {
    kind: 'extra',
    what: name,
    reason: `${name} is no part of the release: no deployment left a container of ${of} here`,
    container: id,
  }
}

interface Around {
  readonly baseline: Baseline
  readonly seen: SeenApp
  readonly before: LookBefore
}

function containerFindings(was: BaselineContainer, now: SeenContainer, around: Around): Finding[] {
  const state = stateFinding(was, now, around.before)
  const about = { what: now.name, container: now.id }
  return [
    ...(state ? [{ ...about, kind: state.kind, reason: `${now.name} ${state.words}` }] : []),
    ...differences(was, now, around).map(({ part, kind, words }) => ({
      ...about,
      kind,
      reason: `${now.name} ${words}`,
      part,
    })),
  ]
}

function stateFinding(
  was: BaselineContainer,
  now: SeenContainer,
  before: LookBefore,
): { kind: FindingKind; words: string } | undefined {
  if (isLooping(was, now, before)) {
    return { kind: 'restarting', words: `ends again and again (exit code ${now.exitCode})` }
  }
  switch (now.state) {
    case 'paused':
      return { kind: 'paused', words: 'is paused' }
    case 'running':
      return now.health === 'unhealthy' ? { kind: 'unhealthy', words: 'is unhealthy' } : undefined
    case ASLEEP:
      return undefined
    case 'restarting':
      // Once is what a restart policy is for.
      return undefined
    case 'exited':
      return !was.mustRun && now.exitCode === 0
        ? undefined
        : { kind: 'stopped', words: `is exited (exit code ${now.exitCode})` }
    default:
      return { kind: 'stopped', words: `is ${now.state}` }
  }
}

/** Once found it lasts until the container has run from one look to the next. */
function isLooping(was: BaselineContainer, now: SeenContainer, before: LookBefore): boolean {
  if (now.state !== 'running' && now.state !== 'restarting') {
    return false
  }
  const last = before.containers.find(each => each.id === now.id)
  const sinceDeployment = now.restarts - (was.id === now.id ? was.restarts : 0)
  const sinceLook = now.restarts - (last?.restarts ?? now.restarts)
  const wasLooping = before.findings.some(
    ({ kind, container }) => kind === 'restarting' && container === now.id,
  )
  return (
    sinceLook >= LOOP ||
    (now.state === 'restarting' && sinceDeployment >= LOOP) ||
    (wasLooping && (now.state === 'restarting' || now.startedAt !== last?.startedAt))
  )
}

function differences(was: BaselineContainer, now: SeenContainer, { baseline, seen }: Around) {
  const configuration = seen.configurations[now.id]
  if (!configuration || configuration.fingerprint === was.fingerprint) {
    return []
  }
  const { parts } = configuration
  if (!parts || !was.parts) {
    return [{ part: '', kind: 'settings' as const, words: 'has another configuration' }]
  }
  const old = was.parts
  const names = [...new Set([...Object.keys(old), ...Object.keys(parts)])].sort()
  return names.flatMap(part => {
    const isComparable =
      baseline.key === seen.key || !old[part]?.startsWith('~') || !parts[part]?.startsWith('~')
    return old[part] !== parts[part] && isComparable
      ? [{ part, ...differenceIn(part, old[part], parts[part]) }]
      : []
  })
}

function routeFindings(baseline: Baseline, { routes }: SeenApp): Finding[] {
  // What nobody can see is not judged.
  if (baseline.routes === null || routes === null) {
    return []
  }
  return Object.entries(baseline.routes).flatMap(([name, { hosts, hash }]): Finding[] => {
    const now = routes[name]
    const about = { kind: 'route', what: name, container: null } as const
    if (!now) {
      return [{ ...about, reason: `the proxy has no route for ${hosts.join(', ')} any more` }]
    }
    return now.hash === hash
      ? []
      : [{ ...about, reason: `the route of ${hosts.join(', ')} was changed in the proxy` }]
  })
}

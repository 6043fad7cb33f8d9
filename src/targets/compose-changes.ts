import type { Found, ServiceState } from './compose-found.ts'
import { type ComposeRelease, shownEnvironment } from './compose-release.ts'
import type { ComposeWants, WantedRoute } from './compose-wants.ts'
import type { Change } from './target.ts'

export interface Comparison {
  readonly wants: ComposeWants
  readonly found: Found
  readonly services: readonly ServiceState[]
  readonly before: Partial<ComposeRelease>
  readonly builds: readonly ServiceState[]
  readonly pushes: readonly ServiceState[]
  /** Routes that lead elsewhere now, or nowhere. */
  readonly routes: readonly WantedRoute[]
  readonly goneRoutes: readonly string[]
}

/** The difference in words that a person can check. */
export function changesOf(comparison: Comparison): readonly Change[] {
  const { found, services, builds, pushes } = comparison
  const wanted = new Set(services.map(each => each.name))
  const orphans = found.containers.filter(each => !wanted.has(each.service))
  return [
    ...builds.map(
      each => ({ kind: 'build', what: each.image?.reference ?? each.name, why: whyBuild(each) }) as const,
    ),
    ...pushes.map(each => ({ kind: 'push', what: each.image?.reference ?? each.name }) as const),
    ...environmentChanges(comparison),
    ...services.map(serviceChange),
    ...services
      .filter(({ state }) => state === 'as-wanted' || state === 'dependency-changed')
      .flatMap(({ outdated }) =>
        outdated.map(
          each => ({ kind: 'remove', what: each.name, why: 'its service runs anew already' }) as const,
        ),
      ),
    ...orphans.map(
      each => ({ kind: 'remove', what: each.name, why: 'no longer in the Compose files' }) as const,
    ),
    ...portChanges(comparison),
    ...comparison.routes.flatMap(route =>
      route.hosts.map(
        host =>
          ({
            kind: 'route',
            what: host,
            why: found.faults[route.name] ?? `to port ${route.port} of ${route.service}`,
          }) as const,
      ),
    ),
    ...comparison.goneRoutes.map(name => ({ kind: 'route', what: name, why: 'no longer' }) as const),
  ]
}

function whyBuild({ image }: ServiceState): string {
  return image?.registryDigest
    ? 'the registry has this content: it is fetched'
    : 'no image has this content yet'
}

const WHY: Readonly<Record<ServiceState['state'], string>> = {
  missing: '',
  changed: 'its configuration or image changed',
  'image-changed': 'its image changed',
  drifted: 'somebody changed it by hand',
  'not-running': 'it does not run as it should',
  'dependency-changed': 'a service that it depends on is made anew',
  'as-wanted': '',
}

function serviceChange(service: ServiceState): Change {
  const { name, state, isBeside, rendered, outdated } = service
  if (state === 'as-wanted') {
    return { kind: 'untouched', what: name }
  }
  if (state === 'missing') {
    return { kind: 'add', what: name }
  }
  if (isBeside) {
    return { kind: 'replace', what: name, why: `${WHY[state]}; the new container starts beside the old one` }
  }
  const alone = outdated.some(each => each.ownVolumes)
    ? [...rendered.alone, 'it has a volume without a name']
    : rendered.alone
  const place = alone.length > 0 ? `; not beside the old one: ${alone.join(', ')}` : ''
  return { kind: 'recreate', what: name, why: `${WHY[state]}${place}` }
}

/** Host ports that the host takes out, and those that a route makes needless. */
function portChanges({ found, wants, services }: Comparison): Change[] {
  const dropped = found.rendered.findings
    .filter(({ rule }) => rule === 'POL022')
    .map(({ path, message }) => ({ kind: 'close', what: path, why: message }) as const)
  const needless = services.flatMap(({ name, rendered }) => {
    const route = wants.routes.find(each => each.service === name)
    return rendered.ports.flatMap(({ published, target }) =>
      route?.port === target
        ? [
            {
              kind: 'open',
              what: `host port ${published} of ${name}`,
              why: `not needed: the route leads to port ${target}`,
            } as const,
          ]
        : [{ kind: 'open', what: `host port ${published} of ${name}` } as const],
    )
  })
  return [...dropped, ...needless]
}

function environmentChanges({ before, wants }: Comparison): Change[] {
  const old = before.environment
  if (!old) {
    return []
  }
  const now = shownEnvironment(wants)
  const names = [...new Set([...Object.keys(old), ...Object.keys(now)])].sort()
  return names.flatMap(name => {
    const why = old[name] === undefined ? 'added' : now[name] === undefined ? 'removed' : 'changed'
    return old[name] === now[name] ? [] : [{ kind: 'environment', what: name, why } as const]
  })
}

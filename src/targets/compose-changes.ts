import type { Found, ServiceState } from './compose-found.ts'
import {
  environmentChanges,
  imageChanges,
  portChanges,
  routeChanges,
  volumeChanges,
} from './compose-part-changes.ts'
import type { ComposeRelease } from './compose-release.ts'
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
    ...environmentChanges(found, comparison.wants, comparison.before),
    ...services.map(serviceChange),
    ...imageChanges(services, found.moved),
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
    ...volumeChanges(orphans),
    ...portChanges(found, services, comparison.wants.routes),
    ...routeChanges(found, comparison.routes),
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
  drifted: 'somebody changed it by hand, or it was stopped',
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

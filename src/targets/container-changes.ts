import { ASLEEP, type ObservedContainer } from '#commands/container-data.ts'
import { placesAt } from '#lib/place.ts'
import type { ObservedRoute } from './container-found.ts'
import type { ContainerRelease } from './container-release.ts'
import { imageChange, type NextImage } from './image-change.ts'
import type { Change } from './target.ts'

export interface Comparison {
  readonly app: string
  readonly before: Partial<ContainerRelease>
  readonly after: ContainerRelease
  /** What serves now. */
  readonly serving: ObservedContainer | undefined
  /** Runs as wanted: stays. */
  readonly present: ObservedContainer | undefined
  readonly leftovers: readonly ObservedContainer[]
  readonly build: 'none' | 'build' | 'fetch'
  readonly push: 'none' | 'push'
  readonly image: NextImage
  /** Where visitors are led now. */
  readonly route: ObservedRoute | undefined
  /** What visitors get instead of the app. */
  readonly fault: string | undefined
  /** Somebody changed by hand what serves now. */
  readonly isDrifted: boolean
}

/** The difference in words that a person can check. */
export function changesOf(comparison: Comparison): readonly Change[] {
  const { after, build, push, leftovers } = comparison
  return [
    ...(build === 'none' ? [] : [{ kind: 'build', what: after.image, why: whyBuild(build) } as const]),
    ...(push === 'none' ? [] : [{ kind: 'push', what: after.image } as const]),
    ...environmentChanges(comparison),
    containerChange(comparison),
    ...imageChanges(comparison),
    ...leftovers.map(each => ({ kind: 'remove', what: each.name, why: 'not part of the release' }) as const),
    ...volumeChanges(comparison),
    ...portChanges(comparison),
    ...routeChanges(comparison),
  ]
}

function whyBuild(build: 'build' | 'fetch'): string {
  return build === 'fetch' ? 'the registry has this content: it is fetched' : 'no image has this content yet'
}

function containerChange({ app, before, after, serving, present, fault, isDrifted }: Comparison): Change {
  if (present) {
    return { kind: 'untouched', what: present.name }
  }
  if (!serving) {
    return { kind: 'add', what: `container of ${app}` }
  }
  const why = fault ?? (isDrifted ? 'somebody changed it by hand' : whyRecreate(before, after, serving))
  return { kind: 'recreate', what: serving.name, why }
}

function whyRecreate(
  before: Partial<ContainerRelease>,
  after: ContainerRelease,
  serving: ObservedContainer,
): string {
  if (serving.configHash === after.configHash) {
    return serving.state === 'running' || serving.state === ASLEEP
      ? `its health is "${serving.health}"`
      : `it is ${serving.state}`
  }
  const parts = (['image', 'environment', 'port', 'ports', 'volumes'] as const).filter(
    part => JSON.stringify(before[part]) !== JSON.stringify(after[part]),
  )
  return parts.length > 0 ? `changed: ${parts.join(', ')}` : 'other settings or secret values changed'
}

function environmentChanges({ before, after }: Comparison): Change[] {
  const old = before.environment
  if (!old) {
    return []
  }
  const names = [...new Set([...Object.keys(old), ...Object.keys(after.environment)])].sort()
  return names.flatMap(name => {
    const why = difference(old[name], after.environment[name])
    return why ? [{ kind: 'environment', what: name, why } as const] : []
  })
}

function difference(old: string | undefined, now: string | undefined): string | undefined {
  if (old === now) {
    return undefined
  }
  return old === undefined ? 'added' : now === undefined ? 'removed' : 'changed'
}

function portChanges({ before, after }: Comparison): Change[] {
  const old = before.ports ?? []
  return [
    ...after.ports.filter(port => !old.includes(port)).map(what => ({ kind: 'open', what }) as const),
    ...old.filter(port => !after.ports.includes(port)).map(what => ({ kind: 'close', what }) as const),
  ]
}

function imageChanges({ app, serving, present, image }: Comparison): Change[] {
  return present ? [] : imageChange(app, serving?.imageId, image)
}

/** Volumes without a name go with the container. */
function volumeChanges({ serving, present, leftovers }: Comparison): Change[] {
  const gone = [...(serving && !present ? [serving] : []), ...leftovers]
  return gone
    .filter(each => each.ownVolumes)
    .map(each => ({ kind: 'delete-volume', what: `volumes without a name of ${each.name}` }))
}

/** Where visitors will be led that are not led there now; a new container behind the same name is no news. */
function routeChanges({ before, after, route }: Comparison): Change[] {
  const led = route && placesAt(route)
  const isNew = (host: string) => route?.port !== after.port || !led?.includes(host)
  const gone = (led ?? before.hosts ?? []).filter(host => !after.hosts.includes(host))
  return [
    ...after.hosts
      .filter(isNew)
      .map(host => ({ kind: 'route', what: host, why: `to port ${after.port}` }) as const),
    ...gone.map(host => ({ kind: 'route', what: host, why: 'no longer' }) as const),
  ]
}

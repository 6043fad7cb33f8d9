import type { ComposeContainer } from '#commands/compose-data.ts'
import type { Found, ServiceState } from './compose-found.ts'
import { type ComposeRelease, shownEnvironment } from './compose-release.ts'
import type { ComposeWants, WantedRoute } from './compose-wants.ts'
import { imageChange } from './image-change.ts'
import type { Change } from './target.ts'

/** Services that run another image than before. */
export function imageChanges(services: readonly ServiceState[], moved: Found['moved']): Change[] {
  return services.filter(isTouched).flatMap(({ name, image, rendered, current, outdated }) => {
    const [before] = [...outdated, ...current]
    if (!before) {
      return []
    }
    if (image) {
      return imageChange(name, before.imageId, image)
    }
    const to = moved[name] ?? rendered.image ?? ''
    if (to !== before.image) {
      return [{ kind: 'image', what: name, from: before.image, to } as const]
    }
    return imageChange(name, before.imageId, { localImageId: before.currentImageId ?? before.imageId })
  })
}

/** Host ports that are published now or will be, and not both; and those of the files that the host takes out. */
export function portChanges(
  { containers, rendered: { findings } }: Found,
  services: readonly ServiceState[],
  routes: readonly WantedRoute[],
): Change[] {
  const dropped = findings
    .filter(
      ({ rule, path }) => rule === 'POL022' && services.some(each => isTouched(each) && isOf(each, path)),
    )
    .map(({ path, message }) => ({ kind: 'close', what: path, why: message }) as const)
  const opened = services.flatMap(({ name, rendered, current, outdated }) => {
    const now = portsOf([...current, ...outdated])
    const target = routes.find(each => each.service === name)?.port
    return rendered.ports
      .filter(({ published }) => !now.includes(published))
      .map(port => ({
        ...({ kind: 'open', what: portText(name, port.published) } as const),
        ...(port.target === target ? { why: `not needed: the route leads to port ${target}` } : {}),
      }))
  })
  const wanted = new Map(
    services.map(({ name, rendered }) => [name, rendered.ports.map(each => each.published)]),
  )
  const names = [...new Set(containers.map(each => each.service))]
  const closed = names.flatMap(name =>
    portsOf(containers.filter(each => each.service === name))
      .filter(port => !wanted.get(name)?.includes(port))
      .map(port => ({ kind: 'close', what: portText(name, port) }) as const),
  )
  return [...dropped, ...opened, ...closed]
}

/** Names of variables, never values: those that the host saw change in services, else those of the app itself. */
export function environmentChanges(
  { rendered: { environment } }: Found,
  wants: ComposeWants,
  before: Partial<ComposeRelease>,
): Change[] {
  if (environment) {
    return environment.map(({ service, name, change }) => ({
      kind: 'environment',
      what: `${name} of ${service}`,
      why: change,
    }))
  }
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

/** Volumes without a name go with the container that nobody wants any more. */
export function volumeChanges(gone: readonly ComposeContainer[]): Change[] {
  return gone
    .filter(each => each.ownVolumes)
    .map(each => ({ kind: 'delete-volume', what: `volumes without a name of ${each.name}` }))
}

/** Routes that lead elsewhere than before; that their service has a new container is no news. */
export function routeChanges(found: Found, routes: readonly WantedRoute[]): Change[] {
  return routes.flatMap(({ name, hosts, port, service }) => {
    const old = found.routes[name]
    const isNew = (host: string) => old?.port !== port || !old.hosts.includes(host)
    const fault = found.faults[name]
    const gone = (old?.hosts ?? []).filter(host => !hosts.includes(host))
    return [
      ...hosts
        .filter(host => fault !== undefined || isNew(host))
        .map(host => ({ kind: 'route', what: host, why: fault ?? `to port ${port} of ${service}` }) as const),
      ...gone.map(host => ({ kind: 'route', what: host, why: 'no longer' }) as const),
    ]
  })
}

function isTouched({ state }: ServiceState): boolean {
  return state !== 'as-wanted'
}

function isOf({ name }: ServiceState, path: string): boolean {
  return path.startsWith(`services.${name}.`)
}

function portsOf(containers: readonly ComposeContainer[]): string[] {
  return [...new Set(containers.flatMap(each => each.hostPorts ?? []))]
}

function portText(service: string, published: string): string {
  return published === ''
    ? `a host port of ${service} that the engine chooses`
    : `host port ${published} of ${service}`
}

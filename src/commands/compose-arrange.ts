import { scalarText, shapeOf } from '#policy/shape.ts'
import type { ContainerFacts } from '#programs/docker-containers.ts'
import { withDependents } from './compose-dependents.ts'
import { expectedServices } from './compose-judge.ts'
import type { Render } from './compose-model.ts'
import { serviceOf } from './compose-observe.ts'
import { LABEL } from './container-data.ts'

export interface Present {
  readonly containers: readonly ContainerFacts[]
  /** What references mean on this host. */
  readonly imageIds: ReadonlyMap<string, string>
  /** Services whose new container starts beside the old one. */
  readonly beside: readonly string[]
  /** Ids of containers that count as outdated, whatever they were made from. */
  readonly remade?: readonly string[] | undefined
  /** Addresses that the proxy leads to now. */
  readonly serving: readonly string[]
  /** Of the network that the proxy reaches. */
  readonly network: string
}

/** What has to be done so that a render runs. */
export interface Arrangement {
  /** Outdated, and stay until the release that replaces them is verified: who serves goes on serving. */
  readonly replaced: readonly ContainerFacts[]
  /** Outdated and of use to nobody: they go before anything starts. */
  readonly leftovers: readonly ContainerFacts[]
  /** Services whose containers are made, or made anew in the place of the old ones. */
  readonly inPlace: readonly string[]
  /** Service -> how many containers it has altogether while old and new run side by side. */
  readonly scale: Readonly<Record<string, number>>
  /** As they are, but what they depend on is made anew: they are started again when that is ready. */
  readonly restart: readonly string[]
}

/** Compares what is there with what is wanted, also when an earlier attempt ended halfway. Pure. */
export function arrange(render: Render, present: Present): Arrangement {
  const services = expectedServices(render)
  const arranged = services.map(({ name, replicas }) => arrangeService(render, present, { name, replicas }))
  const orphans = present.containers.filter(each => !services.some(({ name }) => name === serviceOf(each)))
  const inPlace = arranged.filter(each => each.way === 'in-place').map(each => each.name)
  const remade = arranged.filter(each => each.way === 'in-place' && each.isRemade).map(each => each.name)
  const dependencies = new Map(services.map(each => [each.name, Object.keys(each.dependsOn)] as const))
  const dependents = withDependents(remade, dependencies)
  return {
    replaced: [...arranged.flatMap(each => each.replaced), ...orphans.filter(each => mayStay(present, each))],
    leftovers: [
      ...arranged.flatMap(each => each.leftovers),
      ...orphans.filter(each => !mayStay(present, each)),
    ],
    inPlace,
    scale: Object.fromEntries(
      arranged.flatMap(each => (each.way === 'beside' ? [[each.name, each.scale]] : [])),
    ),
    restart: arranged.filter(each => each.way === 'none' && dependents.has(each.name)).map(each => each.name),
  }
}

interface Arranged {
  readonly name: string
  readonly way: 'none' | 'in-place' | 'beside'
  /** It had containers before. */
  readonly isRemade: boolean
  readonly scale: number
  readonly replaced: readonly ContainerFacts[]
  readonly leftovers: readonly ContainerFacts[]
}

function arrangeService(
  render: Render,
  present: Present,
  { name, replicas }: { readonly name: string; readonly replicas: number },
): Arranged {
  const own = servingFirst(
    present,
    present.containers.filter(each => serviceOf(each) === name),
  )
  const current = own.filter(
    each => isCurrent(render, present.imageIds, each) && !present.remade?.includes(each.id),
  )
  const outdated = own.filter(each => !current.includes(each))
  const running = outdated.filter(each => each.state === 'running')
  const isThere = current.length >= replicas
  if (!isThere && !(present.beside.includes(name) && running.length > 0)) {
    const isRemade = outdated.length > 0
    return { name, way: 'in-place', isRemade, scale: 0, replaced: [], leftovers: [] }
  }
  const replaced = running.slice(0, replicas)
  return {
    name,
    way: isThere ? 'none' : 'beside',
    isRemade: false,
    scale: replaced.length + replicas,
    replaced,
    leftovers: [...outdated.filter(each => !replaced.includes(each)), ...current.slice(replicas)],
  }
}

/** Made from this render: the same configuration and the image that its name means now. */
export function isCurrent(
  render: Render,
  imageIds: ReadonlyMap<string, string>,
  container: ContainerFacts,
): boolean {
  const service = shapeOf(shapeOf(render.services)[serviceOf(container)])
  return (
    container.labels[LABEL.config] !== undefined &&
    container.labels[LABEL.config] === scalarText(shapeOf(service.labels)[LABEL.config]) &&
    container.imageId === imageIds.get(scalarText(service.image) ?? '')
  )
}

/** Who serves, then the oldest: that one was verified when it started. */
function servingFirst(present: Present, containers: readonly ContainerFacts[]): readonly ContainerFacts[] {
  const rank = (each: ContainerFacts) => (isServing(present, each) ? 0 : 1)
  return containers.toSorted((a, b) => rank(a) - rank(b) || (a.startedAt < b.startedAt ? -1 : 1))
}

function isServing({ serving, network }: Present, container: ContainerFacts): boolean {
  return serving.includes(container.addresses[network] ?? '-')
}

/** A service that left the files goes on serving until the new release does, unless it holds what the new one may need. */
function mayStay(present: Present, container: ContainerFacts): boolean {
  return isServing(present, container) && container.hostPorts.length === 0 && !container.writesVolumes
}

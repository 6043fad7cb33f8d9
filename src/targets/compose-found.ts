import type { ComposeContainer, RenderedService } from '#commands/compose-data.ts'
import { withDependents } from '#commands/compose-dependents.ts'
import { deployedHash } from '#commands/compose-model.ts'
import type { RenderResult } from '#commands/compose-render.ts'
import type { ImageContent } from '#commands/image-content.ts'
import type { FoundImage } from '#commands/image-find.ts'
import { goalImages } from './compose-goal.ts'
import type { DriftedParts } from './drifted-parts.ts'
import type { ReleaseFacts } from './target.ts'

export interface ObservedRoute {
  readonly hosts: readonly string[]
  readonly port: number
  readonly ip?: string
  readonly deployment?: string
}

/** The worker's answers to look(), as their commands' result schemas shape them. */
export interface Found {
  readonly rendered: RenderResult
  /** The host had lost the release that is brought back, and has rendered it again from its commit. */
  readonly isAnew: boolean
  readonly containers: readonly ComposeContainer[]
  /** Of the services that are built, by service. */
  readonly images: ReadonlyMap<string, ImageContent>
  readonly routes: Readonly<Record<string, ObservedRoute | null>>
  /** By route, what visitors get instead of the service; empty when nobody asked. */
  readonly faults: Readonly<Record<string, string | undefined>>
  /** What the worker said of the images of the release that is brought back. */
  readonly released: readonly FoundImage[]
  /** Ids of containers that somebody changed by hand. */
  readonly drifted: readonly string[]
  /** Image by digest that the tag of a service means by now. */
  readonly moved: Readonly<Record<string, string>>
}

/** What the host kept of the release that is brought back. */
export interface Recalled {
  readonly release?: RenderResult
}

interface News {
  readonly drifted?: DriftedParts | undefined
  readonly isStopped?: boolean | undefined
  readonly isHalfStopped?: boolean | undefined
  readonly moved?: Found['moved'] | undefined
}

export function foundOf(
  found: Readonly<Record<string, unknown>>,
  goal?: ReleaseFacts,
  news: News = {},
): Found {
  const { recalled, render, containers, images, released, routes, answers } = found as {
    recalled?: Recalled
    render: RenderResult
    containers: { containers: readonly ComposeContainer[] }
    images?: { images: readonly ImageContent[] }
    released?: { images: readonly FoundImage[] }
    routes?: { routes: Found['routes'] }
    answers?: { routes: Readonly<Record<string, { readonly fault: string | null }>> }
  }
  return {
    rendered: recalled?.release ?? render,
    isAnew: recalled !== undefined && recalled.release === undefined,
    containers: containers.containers,
    images: goal
      ? goalImages(goal, released?.images ?? [])
      : new Map((images?.images ?? []).map(each => [each.key, each])),
    routes: routes?.routes ?? {},
    faults: Object.fromEntries(
      Object.entries(answers?.routes ?? {}).map(([name, { fault }]) => [name, fault ?? undefined]),
    ),
    released: released?.images ?? [],
    drifted: [...(news.drifted?.containers ?? []), ...stoppedAmong(containers.containers, news)],
    moved: news.moved ?? {},
  }
}

/**
 * Whether one has done its work or was stopped in it cannot be told afterwards, and no restart of the engine starts any
 * of them, also when somebody has by hand.
 */
function stoppedAmong(
  containers: readonly ComposeContainer[],
  { isStopped = false, isHalfStopped = false }: Pick<News, 'isStopped' | 'isHalfStopped'>,
): readonly string[] {
  return isStopped || isHalfStopped ? containers.map(({ id }) => id) : []
}

/** The address at which the proxy reaches the service of a route. */
export function addressOf(found: Found, name: string): string {
  const service = found.rendered.routes.find(route => route.name === name)?.service
  const state = serviceStates(found).find(each => each.name === service)
  return state?.current[0]?.ip ?? ''
}

/** One service, what it shall be made from, and what runs of it. */
export interface ServiceState {
  readonly name: string
  readonly rendered: RenderedService
  readonly image: ImageContent | undefined
  /** The label its containers shall have. */
  readonly hash: string
  /** Made from what is wanted. */
  readonly current: readonly ComposeContainer[]
  /** Made from something else. */
  readonly outdated: readonly ComposeContainer[]
  /** The new container of a changed service starts beside the old one; else it takes its place. */
  readonly isBeside: boolean
  readonly state:
    | 'missing'
    | 'changed'
    | 'image-changed'
    | 'drifted'
    | 'not-running'
    | 'dependency-changed'
    | 'as-wanted'
}

/** Every wanted service compared with what runs, in the order of their names. */
export function serviceStates({
  rendered,
  containers,
  images,
  drifted,
  moved,
}: Found): readonly ServiceState[] {
  const mustRun = new Set(servicesThatMustRun(rendered))
  const routed = new Set(rendered.routes.map(route => route.service))
  const states = Object.entries(rendered.services)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, service]): ServiceState => {
      const image = images.get(name)
      const own = containers.filter(each => each.service === name)
      // An image that was built, or that an earlier release has under another name now.
      const named = image?.reference === service.image ? undefined : image?.reference
      const hash = deployedHash(service, named)
      const isStale = (each: ComposeContainer) =>
        each.configHash !== hash || hasOldImage(each, image) || each.image !== (moved[name] ?? each.image)
      const outdated = own.filter(each => isStale(each) || drifted.includes(each.id))
      const current = own.filter(each => !outdated.includes(each))
      const compared = { name, rendered: service, image, hash, current, outdated }
      const state = stateOf(compared, { mayComplete: !mustRun.has(name), isStale: outdated.some(isStale) })
      return { ...compared, state, isBeside: isChange(state) && mayRunBeside(compared, routed.has(name)) }
    })
  const remade = states.filter(({ state, isBeside }) => isChange(state) && !isBeside)
  const dependencies = new Map(states.map(({ name, rendered: each }) => [name, each.dependsOn] as const))
  const touched = withDependents(
    remade.map(({ name }) => name),
    dependencies,
  )
  return states.map(each =>
    each.state === 'as-wanted' && touched.has(each.name) ? { ...each, state: 'dependency-changed' } : each,
  )
}

/** What the label of each running service's containers must say. */
export function hashesOf(services: readonly ServiceState[]): Record<string, string> {
  return Object.fromEntries(
    services.flatMap(each => (each.rendered.replicas > 0 ? [[each.name, each.hash]] : [])),
  )
}

/** A service that visitors reach, or that the engine always starts again, has not done its work when it ended. */
export function servicesThatMustRun({ services, routes }: Found['rendered']): string[] {
  const routed = new Set(routes.map(route => route.service))
  return Object.entries(services)
    .filter(([name, service]) => service.replicas > 0 && (routed.has(name) || !service.mayComplete))
    .map(([name]) => name)
    .sort()
}

type Compared = Omit<ServiceState, 'state' | 'isBeside'>

function stateOf(
  { rendered, hash, current, outdated }: Compared,
  { mayComplete, isStale }: { readonly mayComplete: boolean; readonly isStale: boolean },
): ServiceState['state'] {
  const isWhole = current.length === rendered.replicas && current.every(each => isFine(each, mayComplete))
  if (isWhole) {
    return 'as-wanted'
  }
  if (current.length + outdated.length === 0) {
    return 'missing'
  }
  if (outdated.length === 0) {
    return 'not-running'
  }
  if (!isStale) {
    return 'drifted'
  }
  return outdated.some(each => each.configHash !== hash) ? 'changed' : 'image-changed'
}

function isChange(state: ServiceState['state']): boolean {
  return state === 'changed' || state === 'image-changed' || state === 'drifted'
}

function hasOldImage(
  { imageId, currentImageId }: ComposeContainer,
  image: ImageContent | undefined,
): boolean {
  return (
    (currentImageId !== undefined && currentImageId !== imageId) ||
    (image?.localImageId !== undefined && image.localImageId !== imageId)
  )
}

/** What visitors are led to, and what runs more than once anyway, unless it has something that only one can have. */
function mayRunBeside({ rendered, outdated }: Compared, isRouted: boolean): boolean {
  return (
    (isRouted || rendered.replicas > 1) &&
    rendered.alone.length === 0 &&
    !outdated.some(each => each.ownVolumes) &&
    outdated.some(each => each.state === 'running')
  )
}

/** Runs and is not ill, or has done its one job. */
function isFine({ state, health, exitCode }: ComposeContainer, mayComplete: boolean): boolean {
  return (
    (state === 'running' && (health === 'none' || health === 'healthy')) ||
    (mayComplete && state === 'exited' && exitCode === 0)
  )
}

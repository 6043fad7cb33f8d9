import type { ComposeContainer, RenderedService } from '#commands/compose-data.ts'
import { deployedHash } from '#commands/compose-model.ts'
import { withDependents } from '#commands/compose-outdated.ts'
import type { RenderResult } from '#commands/compose-render.ts'
import type { ImageContent } from '#commands/image-content.ts'

export interface ObservedRoute {
  readonly hosts: readonly string[]
  readonly port: number
  readonly ip?: string
  readonly deployment?: string
}

/** The worker's answers to look(), as their commands' result schemas shape them. */
export interface Found {
  readonly rendered: RenderResult
  readonly containers: readonly ComposeContainer[]
  /** Of the services that are built, by service. */
  readonly images: ReadonlyMap<string, ImageContent>
  readonly routes: Readonly<Record<string, ObservedRoute | null>>
}

export function foundOf(found: Readonly<Record<string, unknown>>): Found {
  const { render, containers, images, routes } = found as {
    render: RenderResult
    containers: { containers: readonly ComposeContainer[] }
    images?: { images: readonly ImageContent[] }
    routes?: { routes: Found['routes'] }
  }
  return {
    rendered: render,
    containers: containers.containers,
    images: new Map((images?.images ?? []).map(each => [each.key, each])),
    routes: routes?.routes ?? {},
  }
}

/** The address at which the proxy reaches the service of a route. */
export function addressOf({ rendered }: Found, name: string): string {
  return rendered.routes.find(route => route.name === name)?.ip ?? ''
}

/** One service, what it shall be made from, and what runs of it. */
export interface ServiceState {
  readonly name: string
  readonly rendered: RenderedService
  readonly image: ImageContent | undefined
  /** The label its containers shall have. */
  readonly hash: string
  readonly containers: readonly ComposeContainer[]
  readonly state: 'missing' | 'changed' | 'image-changed' | 'not-running' | 'dependency-changed' | 'as-wanted'
}

/** Every wanted service compared with what runs, in the order of their names. */
export function serviceStates({ rendered, containers, images }: Found): readonly ServiceState[] {
  const mustRun = new Set(servicesThatMustRun(rendered))
  const states = Object.entries(rendered.services)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, service]): ServiceState => {
      const image = images.get(name)
      const own = containers.filter(each => each.service === name)
      const hash = deployedHash(service, service.build ? image?.reference : undefined)
      return {
        name,
        rendered: service,
        image,
        hash,
        containers: own,
        state: stateOf(own, { hash, image, replicas: service.replicas, mayComplete: !mustRun.has(name) }),
      }
    })
  const remade = states.filter(({ state }) => ['changed', 'image-changed', 'missing'].includes(state))
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

interface Wanted {
  readonly hash: string
  readonly image: ImageContent | undefined
  readonly replicas: number
  readonly mayComplete: boolean
}

function stateOf(
  containers: readonly ComposeContainer[],
  { hash, image, replicas, mayComplete }: Wanted,
): ServiceState['state'] {
  if (containers.length === 0) {
    return replicas === 0 ? 'as-wanted' : 'missing'
  }
  if (containers.some(each => each.configHash !== hash)) {
    return 'changed'
  }
  const isOld = ({ imageId, currentImageId }: ComposeContainer) =>
    (currentImageId !== undefined && currentImageId !== imageId) ||
    (image?.localImageId !== undefined && image.localImageId !== imageId)
  if (containers.some(isOld)) {
    return 'image-changed'
  }
  return containers.length === replicas && containers.every(each => isFine(each, mayComplete))
    ? 'as-wanted'
    : 'not-running'
}

/** Runs and is not ill, or has done its one job. */
function isFine({ state, health, exitCode }: ComposeContainer, mayComplete: Wanted['mayComplete']): boolean {
  return (
    (state === 'running' && (health === 'none' || health === 'healthy')) ||
    (mayComplete && state === 'exited' && exitCode === 0)
  )
}

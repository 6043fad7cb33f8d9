import type { ObservedContainer } from '#commands/container-data.ts'
import type { ImageContent } from '#commands/image-content.ts'
import type { LookInput } from './target.ts'

export interface ObservedRoute {
  readonly hosts: readonly string[]
  readonly port: number
  readonly ip?: string
  readonly deployment?: string
}

/** The worker's answers to look(), as their commands' result schemas shape them. */
export interface Found {
  readonly content: ImageContent
  readonly containers: readonly ObservedContainer[]
  readonly route: ObservedRoute | undefined
}

export function foundOf(input: Pick<LookInput<unknown>, 'found' | 'app'>): Found {
  const { content, containers, routes } = input.found as {
    content: { images: readonly [ImageContent] }
    containers: { containers: readonly ObservedContainer[] }
    routes?: { routes: Readonly<Record<string, ObservedRoute | null>> }
  }
  return {
    content: content.images[0],
    containers: containers.containers,
    route: routes?.routes[input.app.name] ?? undefined,
  }
}

/** The container that is what is wanted already: made from the same settings, running, and not known to be ill. */
export function runningAsWanted(found: Found, configHash: string): ObservedContainer | undefined {
  const fitting = found.containers.filter(
    each =>
      each.configHash === configHash &&
      each.state === 'running' &&
      each.health !== 'unhealthy' &&
      (found.route?.deployment === undefined || each.deployment === found.route.deployment),
  )
  return fitting.find(each => each.serving) ?? fitting[0]
}

/** What serves before this deployment: by the switchboard, else the one that was started last. */
export function servingBefore(found: Found, deployment: string): ObservedContainer | undefined {
  const others = found.containers.filter(each => each.deployment !== deployment)
  const running = others.filter(each => each.state === 'running')
  const newest = running.toSorted((a, b) => b.startedAt.localeCompare(a.startedAt))[0]
  return others.find(each => each.serving) ?? newest
}

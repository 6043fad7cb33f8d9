import type { ContainerFacts } from '#programs/docker-containers.ts'
import type { Hands } from './command.ts'
import type { RoutePlace } from './compose-data.ts'
import { serviceOf } from './compose-observe.ts'
import { askPort, type Look } from './container-health.ts'

export interface Asked {
  readonly routes: readonly RoutePlace[]
  /** Path that every routed service must answer with 2xx or 3xx. */
  readonly http?: string | undefined
  readonly withinMs: number
}

/** Containers whose route gets a good answer, whatever health checks say. */
export async function answering(
  hands: Hands,
  containers: readonly ContainerFacts[],
  asked: Asked,
): Promise<readonly ContainerFacts[]> {
  const answers = await askRouted(
    hands,
    containers.map(each => ({ ...each, health: 'none' as const })),
    asked,
  )
  return containers.filter(each => answers.get(each.id)?.ready)
}

/**
 * Asks containers that the proxy will lead to, as it will: those without a health check of their own, and all when a
 * path is named. Any answer below 500 is good without a path, also one that is not HTTP. By id; nothing for the rest.
 */
export async function askRouted(
  hands: Hands,
  containers: readonly ContainerFacts[],
  { routes, http, withinMs }: Asked,
): Promise<ReadonlyMap<string, Look>> {
  const looks = containers.map(async each => {
    const route = routes.find(({ service }) => service === serviceOf(each))
    const ip = each.addresses[hands.host.network.name]
    if (!route || !ip || each.state !== 'running' || (http === undefined && each.health !== 'none')) {
      return []
    }
    const isGood = (status: number) => (http === undefined ? status < 500 : status >= 200 && status < 400)
    const look = await askPort(
      hands,
      { at: { ip, port: route.port }, withinMs },
      { port: route.port, path: http ?? '/', isGood },
    )
    return [[each.id, look] as const]
  })
  return new Map((await Promise.all(looks)).flat())
}

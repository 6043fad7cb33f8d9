import type { ContainerFacts } from '#programs/docker-containers.ts'
import { joinNetwork, leaveNetwork } from '#programs/docker-network-members.ts'
import type { Hands } from './command.ts'
import type { RoutePlace } from './compose-data.ts'
import { COMPOSE_REFUSED } from './compose-errors.ts'
import { serviceOf } from './compose-observe.ts'

export interface Members {
  /** Of the release. */
  readonly containers: readonly ContainerFacts[]
  /** Outdated ones that go on serving at their addresses. */
  readonly replaced: readonly ContainerFacts[]
  /** Of the project before anything was changed. */
  readonly before: readonly ContainerFacts[]
}

/**
 * Puts services with a route at one of their two fixed addresses in the proxy's network, and takes all others out of it.
 * The address that serves is taken again when its container has gone; beside the old container it is the other one.
 */
export async function connectRoutes(
  hands: Hands,
  routes: readonly RoutePlace[],
  { containers, replaced, before }: Members,
): Promise<void> {
  const { network, switchboard } = hands.host
  const addresses = (each: ContainerFacts) => each.addresses[network.name] ?? []
  const taken = new Set(replaced.flatMap(addresses))
  const left = new Set(before.flatMap(addresses))
  for (const container of containers) {
    const route = routes.find(each => each.service === serviceOf(container))
    const slots: readonly string[] = route ? await switchboard.slots(route.name) : []
    const ip = container.addresses[network.name]
    const isPlaced = ip !== undefined && slots.includes(ip) && !taken.has(ip)
    if (ip !== undefined && !isPlaced) {
      await hands.perform(leaveNetwork(hands.host.dockerSocket, network.name, container.id))
    }
    if (route && !isPlaced) {
      const serving = switchboard.current(route.name)?.ip
      // Somebody else may still serve there: the same app under the name of another project.
      const isOurs = serving !== undefined && left.has(serving)
      const wanted = slots.toSorted(
        (a, b) => (isOurs ? 1 : -1) * (Number(b === serving) - Number(a === serving)),
      )
      await join(hands, container, wanted.find(slot => !taken.has(slot)) ?? '')
    }
  }
}

async function join(hands: Hands, container: ContainerFacts, ip: string): Promise<void> {
  const { dockerSocket, network } = hands.host
  const refusal = await hands.perform(
    joinNetwork(dockerSocket, network.name, { container: container.id, ip }),
  )
  if (refusal) {
    throw COMPOSE_REFUSED(
      container.name,
      `it cannot get the address ${ip} in "${network.name}": ${refusal.refused}`,
    )
  }
}

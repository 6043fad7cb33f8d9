import type { ContainerFacts } from '#programs/docker-containers.ts'
import { joinNetwork, leaveNetwork } from '#programs/docker-network-members.ts'
import type { Hands } from './command.ts'
import type { RoutePlace } from './compose-data.ts'
import { COMPOSE_REFUSED } from './compose-errors.ts'
import { serviceOf } from './compose-observe.ts'

/** Puts services with a route at their fixed addresses in the proxy's network, and takes all others out of it. */
export async function connectRoutes(
  hands: Hands,
  routes: readonly RoutePlace[],
  containers: readonly ContainerFacts[],
): Promise<void> {
  const { dockerSocket, network } = hands.host
  for (const container of containers) {
    const route = routes.find(each => each.service === serviceOf(container))
    const ip = container.addresses[network.name]
    if (ip !== undefined && ip !== route?.ip) {
      await hands.perform(leaveNetwork(dockerSocket, network.name, container.id))
    }
    if (route && ip !== route.ip) {
      const refusal = await hands.perform(
        joinNetwork(dockerSocket, network.name, { container: container.id, ip: route.ip }),
      )
      if (refusal) {
        throw COMPOSE_REFUSED(
          container.name,
          `it cannot get the address ${route.ip} in "${network.name}": ${refusal.refused}`,
        )
      }
    }
  }
}

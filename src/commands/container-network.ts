import { createIsolatedNetwork, inspectNetwork, type NetworkFacts } from '#programs/docker-networks.ts'
import type { Hands } from './command.ts'
import { NETWORK_UNAVAILABLE } from './container-errors.ts'

const LOOKS = 20
const PAUSE_MS = 100

/** Makes the network that the proxy reaches containers on, unless it is there. */
export async function ensureNetwork(hands: Hands): Promise<void> {
  const { dockerSocket, network, engine } = hands.host
  if (fits(await hands.perform(inspectNetwork(dockerSocket, network.name)), hands)) {
    return
  }
  const refusal = await hands.perform(
    createIsolatedNetwork(dockerSocket, engine ? { name: network.name } : network),
  )
  if (!refusal) {
    hands.say(`network ${network.name} made${engine ? '' : ` (${network.subnet})`}`, 'info')
    return
  }
  // Another app's first deployment may have been faster: the engine then refuses a second network of this name or subnet,
  // and for the subnet it does so a moment before it tells of the first one.
  for (
    let looks = 0;
    !fits(await hands.perform(inspectNetwork(dockerSocket, network.name)), hands);
    looks++
  ) {
    if (looks < LOOKS) {
      await hands.clock.sleep(PAUSE_MS, hands.signal)
      continue
    }
    throw NETWORK_UNAVAILABLE(network.name, network.subnet, refusal.refused)
  }
}

function fits(found: NetworkFacts | undefined, hands: Hands): boolean {
  const { network, engine } = hands.host
  // Another engine chooses its own addresses: nothing here reaches them.
  if (found && !engine && !found.subnets.includes(network.subnet)) {
    throw NETWORK_UNAVAILABLE(
      network.name,
      network.subnet,
      `it exists with ${found.subnets.join(', ') || 'no subnet'}`,
    )
  }
  return found !== undefined
}

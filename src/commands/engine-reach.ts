import type { Hands } from './command.ts'
import { ENGINE_NOT_PUBLISHED } from './engine-errors.ts'

/** Where this host reaches a port of a container. */
export interface Reach {
  readonly ip: string
  readonly port: number
}

export interface Place {
  /** Of the switchboard. */
  readonly name: string
  /** One of the name's two fixed addresses. */
  readonly ip: string
  /** Port of the container. */
  readonly port: number
}

/**
 * Containers of the host's own engine are reached at their address. Those of another engine are not: their port is
 * published on their machine, at a port of its own for each of the name's two places. Undefined: nothing is published.
 */
export async function reachOf(hands: Hands, { name, ip, port }: Place): Promise<Reach | undefined> {
  const { engine, switchboard } = hands.host
  if (!engine) {
    return { ip, port }
  }
  if (!engine.publish) {
    return undefined
  }
  const { addresses, ports } = engine.publish
  const [slots, published] = await Promise.all([
    switchboard.slots(name),
    switchboard.ports(name, engine.name, ports),
  ])
  const slot = Math.max(0, slots.indexOf(ip))
  return {
    ip: addresses[slot % addresses.length] ?? '',
    port: published[addresses.length > 1 ? 0 : slot] ?? 0,
  }
}

/** The same, for what cannot do without. */
export async function mustReach(hands: Hands, place: Place, what: string): Promise<Reach> {
  const reach = await reachOf(hands, place)
  if (!reach) {
    throw ENGINE_NOT_PUBLISHED(hands.host.engine?.name ?? '', what)
  }
  return reach
}

import type { EngineRequest } from '#exec/call.ts'
import { askIncus, type IncusReply } from './incus.ts'

/** Marks a network that is there for the time of an import only. */
const STAND_IN = 'user.fairlead.stand_in'

/** A bridge that leads nowhere and has no addresses. */
export function makeStandIn(socket: string, name: string): EngineRequest<IncusReply> {
  const nowhere = { 'ipv4.address': 'none', 'ipv6.address': 'none', 'dns.mode': 'none' }
  const body = { name, type: 'bridge', config: { ...nowhere, [STAND_IN]: 'true' } }
  return askIncus(socket, { method: 'POST', path: '/1.0/networks', body })
}

/** Names of those that nothing uses. */
export function idleStandIns(socket: string): EngineRequest<readonly string[]> {
  return {
    ...askIncus(socket, { method: 'GET', path: '/1.0/networks', query: { recursion: 1 } }),
    ok: [200],
    read: ({ json }) =>
      (((json ?? {}) as { metadata?: RawNetwork[] }).metadata ?? [])
        .filter(({ config, used_by }) => config?.[STAND_IN] === 'true' && (used_by ?? []).length === 0)
        .map(({ name = '' }) => name),
  }
}

export function deleteNetwork(socket: string, name: string): EngineRequest<IncusReply> {
  return askIncus(socket, { method: 'DELETE', path: `/1.0/networks/${encodeURIComponent(name)}` })
}

/** The name in what Incus says when the network of a container is not on this host. */
export function networkMissingIn(reason: string): string | undefined {
  return /Failed to load network "([a-zA-Z][a-zA-Z0-9_.-]{0,14})" .*Network not found/.exec(reason)?.[1]
}

interface RawNetwork {
  name?: string
  config?: Record<string, string> | null
  used_by?: string[] | null
}

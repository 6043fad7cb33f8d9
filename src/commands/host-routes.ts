import { createHash } from 'node:crypto'
import { type Static, Type } from 'typebox'
import { canonicalJson } from '#lib/canonical-json.ts'
import { type CaddyConfig, type CaddyRoute, readConfig } from '#programs/caddy.ts'
import { isMoved } from '#programs/caddy-moved.ts'
import { hostsOf, nameOfRoute, seenPlaces } from '#programs/caddy-route.ts'
import type { Hands } from './command.ts'
import { askProxy } from './proxy-config.ts'

export const SeenRoute = Type.Object(
  {
    /** With the part of each that the name has. */
    hosts: Type.Array(Type.String()),
    hash: Type.String(),
  },
  { additionalProperties: false },
)
export type SeenRoute = Static<typeof SeenRoute>

/** The routes of all names as the proxy has them now; null when there is no proxy or it does not answer. */
export async function observeRoutes(hands: Hands): Promise<Record<string, SeenRoute> | null> {
  const { proxy } = hands.host
  if (!proxy) {
    return null
  }
  try {
    const { value } = await askProxy(hands, readConfig(proxy.adminOrigin))
    return value === undefined ? {} : routesIn(value)
  } catch {
    hands.signal.throwIfAborted()
    return null
  }
}

/** By name, over all that decides where its requests go. Pure. */
export function routesIn(config: CaddyConfig): Record<string, SeenRoute> {
  const found = new Map<string, { places: Set<string>; deciding: unknown[] }>()
  for (const server of Object.values(config.apps?.http?.servers ?? {})) {
    const routes = server.routes ?? []
    for (const [at, route] of routes.entries()) {
      const name = nameOfRoute(route)
      if (name !== undefined) {
        const entry = found.get(name) ?? { places: new Set(), deciding: [] }
        const hosts = hostsOf(route)
        seenPlaces(route).forEach(place => void entry.places.add(place))
        entry.deciding.push(route, ...routes.slice(0, at).filter(other => takesFrom(other, hosts)))
        found.set(name, entry)
      }
    }
  }
  return Object.fromEntries(
    [...found].map(([name, { places, deciding }]) => [
      name,
      { hosts: [...places].sort(), hash: createHash('sha256').update(canonicalJson(deciding)).digest('hex') },
    ]),
  )
}

/** A route of somebody else that stands before and answers for one of the hosts. */
function takesFrom(other: CaddyRoute, hosts: readonly string[]): boolean {
  const taken = hostsOf(other)
  const isForeign = nameOfRoute(other) === undefined && !isMoved(other)
  return isForeign && (taken.length === 0 || taken.some(host => hosts.includes(host)))
}

import { isDeepStrictEqual } from 'node:util'
import { type Places, placesAt } from '#lib/place.ts'
import type { CaddyRoute } from './caddy.ts'
import { GUARDED_SERVER, type Guard, gateHandler, serverName, usualServer } from './caddy-gate.ts'
import { PROBE_HEADER, UPSTREAM_HEADER } from './caddy-headers.ts'

/** How old Caddy's knowledge of the current upstream may be. A switch is visible after at most this. */
export const REFRESH_MS = 50
/**
 * How long Caddy holds a request whose upstream does not take connections (a container that restarts). More than the
 * 5 s (twice at the worst) that a question to a worker which hangs costs: a try must be left then, or who met the empty
 * slot first would get an error.
 */
const TRY_MS = 12_000

/** What one routed name needs in the proxy. */
export interface WantedRoute {
  /** Name in the switchboard. */
  readonly name: string
  readonly hosts: readonly string[]
  /** It has only this part of its hosts; absent: all of them. */
  readonly prefix?: string | undefined
  /** Port of the container. */
  readonly port: number
  /** The name's two fixed addresses: asked when the switchboard does not answer. */
  readonly slots: readonly [string, string]
  /** host:port of the switchboard. */
  readonly resolver: string
  /** Random; who knows it may see which upstream answered. */
  readonly token: string
  /** Only visitors whom the gate lets through; absent: everybody. */
  readonly guard?: Guard | undefined
}

export const SCHEMES = ['http', 'https'] as const
export type Scheme = (typeof SCHEMES)[number]

/** The `@id` of a name's route in the server of a scheme. */
export function routeId(name: string, scheme: Scheme): string {
  return scheme === 'http' ? `route:${name}` : `route-tls:${name}`
}

/** The name whose route this is, or undefined for a route that is not from here. */
export function nameOfRoute(route: CaddyRoute): string | undefined {
  return /^route(?:-tls)?:(.+)$/.exec(route['@id'] ?? '')?.[1]
}

/**
 * The route of one name. Caddy asks the switchboard over DNS who serves the name now, so a switch changes nothing
 * here; the slots stand in when the worker is down (nobody is at one of them, so another try follows).
 */
export function caddyRoute(wanted: WantedRoute, scheme: Scheme): CaddyRoute {
  return {
    '@id': routeId(wanted.name, scheme),
    match: [{ host: [...wanted.hosts].sort(), ...pathsOf(wanted.prefix) }],
    handle: [
      tellUpstream(wanted.token),
      ...(wanted.prefix === undefined ? [] : [addSlash(wanted.prefix)]),
      ...(wanted.guard
        ? [usualServer(serverName(wanted.name)), gateHandler({ ...wanted, guard: wanted.guard })]
        : []),
      reverseProxy(wanted),
    ],
    terminal: true,
  }
}

/** Nothing is taken off: what runs there knows where it is, and writes its links so. */
function pathsOf(prefix: string | undefined): { path?: string[] } {
  return prefix === undefined ? {} : { path: [prefix.slice(0, -1), `${prefix}*`] }
}

/** The address as somebody types it. */
function addSlash(prefix: string) {
  const headers = { Location: [prefix] }
  return {
    handler: 'subroute',
    routes: [
      {
        match: [{ path: [prefix.slice(0, -1)] }],
        handle: [{ handler: 'static_response', status_code: 307, headers }],
      },
    ],
  }
}

function tellUpstream(token: string) {
  return {
    handler: 'subroute',
    routes: [
      {
        match: [{ header: { [PROBE_HEADER]: [token] } }],
        handle: [
          {
            handler: 'headers',
            response: {
              deferred: true,
              set: { [UPSTREAM_HEADER]: ['{http.reverse_proxy.upstream.hostport}'] },
            },
          },
        ],
      },
    ],
  }
}

/** What a part of a host must not say for all of it: other names are there as well. */
const OF_WHOLE_HOST = ['Service-Worker-Allowed', 'Clear-Site-Data']

function reverseProxy({ name, prefix, port, slots, resolver, guard }: WantedRoute) {
  return {
    handler: 'reverse_proxy',
    dynamic_upstreams: {
      source: 'a',
      name: guard ? GUARDED_SERVER : serverName(name),
      port: String(port),
      refresh: `${REFRESH_MS}ms`,
      // TCP: a worker that dies is noticed at once, a lost UDP question only after seconds.
      resolver: { addresses: [`tcp/${resolver}`] },
      // Within one machine it takes microseconds, or never happens: then the worker hangs.
      dial_timeout: '20ms',
    },
    // Whoever can ask the gate can ask the switchboard, which is with it; and the two addresses of a guarded name change.
    ...(guard ? {} : { upstreams: slots.map(slot => ({ dial: `${slot}:${port}` })) }),
    load_balancing: {
      // Turns (round_robin) would let requests that fail together wait for the empty slot together, again and again.
      selection_policy: { policy: 'random' },
      try_duration: `${TRY_MS}ms`,
      try_interval: '100ms',
      // Only what never reached the app is tried again (Caddy always does that): a GET may have done something.
      retry_match: [{ method: ['-'] }],
    },
    // No passive health checks: they would refuse everybody for a while after some broken answers of an app.
    transport: { protocol: 'http', dial_timeout: '100ms' },
    headers: {
      request: { delete: [PROBE_HEADER] },
      // Cookies of a guarded app would not come back to it.
      response: {
        delete: [
          UPSTREAM_HEADER,
          ...(guard ? ['Set-Cookie'] : []),
          ...(prefix === undefined ? [] : OF_WHOLE_HOST),
        ],
      },
    },
  }
}

/** Whether the routes that Caddy has are the wanted ones, so that nothing needs to be written. */
export function isAsWanted(
  found: Readonly<Record<Scheme, CaddyRoute | undefined>>,
  wanted: WantedRoute,
): boolean {
  return SCHEMES.every(scheme => isDeepStrictEqual(found[scheme], caddyRoute(wanted, scheme)))
}

/** The token of a route that Caddy has already: kept, so that the route stays the same. */
export function tokenOf(route: CaddyRoute | undefined): string | undefined {
  const routes = route?.handle?.find(handler => handler.handler === 'subroute')?.routes
  const token = (routes as ReturnType<typeof tellUpstream>['routes'] | undefined)?.[0]?.match[0]?.header[
    PROBE_HEADER
  ]?.[0]
  return typeof token === 'string' && token.length > 0 ? token : undefined
}

/** Where a route answers and container port, as they were wanted. */
export function readWanted(route: CaddyRoute): { hosts: string[]; prefix?: string; port: number } {
  const proxy = route.handle?.find(handler => handler.handler === 'reverse_proxy')
  const upstreams = proxy?.dynamic_upstreams as { port?: string } | undefined
  const prefix = prefixOf(route)
  return {
    hosts: hostsOf(route),
    ...(prefix === undefined ? {} : { prefix }),
    port: Number(upstreams?.port ?? 0),
  }
}

export function hostsOf(route: CaddyRoute): string[] {
  return (route.match ?? []).flatMap(matcher => matcher.host ?? [])
}

/** Where a route answers. One of somebody else, with a path of another kind, counts as a whole host. */
export function seenPlaces(route: CaddyRoute): string[] {
  const places: Places = { hosts: hostsOf(route), prefix: prefixOf(route) }
  return placesAt(places)
}

function prefixOf({ match = [] }: CaddyRoute): string | undefined {
  const [path = '', below = ''] = match[0]?.path ?? []
  return match.length === 1 && below === `${path}/*` ? `${path}/` : undefined
}

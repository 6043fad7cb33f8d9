import { isDeepStrictEqual } from 'node:util'
import type { CaddyRoute } from './caddy.ts'
import { type Guard, gateHandler } from './caddy-gate.ts'
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
    match: [{ host: [...wanted.hosts].sort() }],
    handle: [
      tellUpstream(wanted.token),
      ...(wanted.guard ? [gateHandler({ ...wanted, guard: wanted.guard })] : []),
      reverseProxy(wanted),
    ],
    terminal: true,
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

function reverseProxy({ name, port, slots, resolver, guard }: WantedRoute) {
  return {
    handler: 'reverse_proxy',
    dynamic_upstreams: {
      source: 'a',
      // The dot at the end keeps the resolver from trying search domains.
      name: `${name}.fairlead.`,
      port: String(port),
      refresh: `${REFRESH_MS}ms`,
      // TCP: a worker that dies is noticed at once, a lost UDP question only after seconds.
      resolver: { addresses: [`tcp/${resolver}`] },
      // Within one machine it takes microseconds, or never happens: then the worker hangs.
      dial_timeout: '20ms',
    },
    upstreams: slots.map(slot => ({ dial: `${slot}:${port}` })),
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
      response: { delete: [UPSTREAM_HEADER, ...(guard ? ['Set-Cookie'] : [])] },
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

/** Hosts and container port of a route, as they were wanted. */
export function readWanted(route: CaddyRoute): { hosts: string[]; port: number } {
  const proxy = route.handle?.find(handler => handler.handler === 'reverse_proxy')
  const upstreams = proxy?.dynamic_upstreams as { port?: string } | undefined
  return { hosts: hostsOf(route), port: Number(upstreams?.port ?? 0) }
}

export function hostsOf(route: CaddyRoute): string[] {
  return (route.match ?? []).flatMap(matcher => matcher.host ?? [])
}

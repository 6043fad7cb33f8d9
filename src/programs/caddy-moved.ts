import type { Places } from '#lib/place.ts'
import type { CaddyRoute } from './caddy.ts'
import type { Scheme } from './caddy-route.ts'

/** Where something was found, and where it is now. */
export interface WantedMove {
  /** What was found there. */
  readonly name: string
  readonly from: Places
  readonly to: { readonly host: string; readonly prefix?: string | undefined }
  readonly ports: { readonly httpPort: number; readonly httpsPort: number }
}

/** The `@id` of the route at the old place in the server of a scheme. */
export function movedId(name: string, scheme: Scheme): string {
  return scheme === 'http' ? `moved:${name}` : `moved-tls:${name}`
}

/** Whether a route only leads away: whoever wants its place gets it. */
export function isMoved(route: CaddyRoute): boolean {
  return /^moved(?:-tls)?:/.test(route['@id'] ?? '')
}

/**
 * Leads whoever reads at the old place to the same page at the new one. Nobody may remember it: it ends, and what is at
 * the old place then is not what was there.
 */
export function movedRoute({ name, from, to, ports }: WantedMove, scheme: Scheme): CaddyRoute {
  const { hosts, prefix } = from
  const port = scheme === 'http' ? ports.httpPort : ports.httpsPort
  const shown = port === (scheme === 'http' ? 80 : 443) ? '' : `:${port}`
  const below = (to.prefix ?? '/').slice(0, -1)
  return {
    '@id': movedId(name, scheme),
    match: [
      {
        host: [...hosts].sort(),
        ...(prefix === undefined ? {} : { path: [prefix.slice(0, -1), `${prefix}*`] }),
        method: ['GET', 'HEAD'],
      },
    ],
    handle: [
      ...(prefix === undefined ? [] : [{ handler: 'rewrite', strip_path_prefix: prefix.slice(0, -1) }]),
      {
        handler: 'static_response',
        status_code: 308,
        headers: {
          Location: [`${scheme}://${to.host}${shown}${below}{http.request.uri}`],
          'Cache-Control': ['no-store'],
        },
      },
    ],
    terminal: true,
  }
}

import type { CaddyRoute } from './caddy.ts'
import { PROBE_HEADER } from './caddy-headers.ts'

/** What Caddy tells the gate of a visitor's request, and what the gate answers. A visitor's own are replaced. */
export const GATE_HEADERS = {
  method: 'Fairlead-Method',
  uri: 'Fairlead-Uri',
  scheme: 'Fairlead-Scheme',
  upgrade: 'Fairlead-Upgrade',
  login: 'Fairlead-Login',
  authorization: 'Fairlead-Authorization',
} as const

/** Who decides about the visitors of a name. */
export interface Guard {
  /** host:port of the gate. */
  readonly address: string
  /** Where a person gets in who has no link. */
  readonly login?: string | undefined
}

interface Guarded {
  readonly name: string
  /** Of the route: a request that carries it is ours and is not asked about. */
  readonly token: string
  readonly guard: Guard
}

/** A gate that is just starting anew is waited for. */
const TRY_MS = 12_000

/**
 * Asks the gate before a request goes on. It answers 200 for those that may, and all else is what the visitor gets. What
 * the app authenticates by is put in here; cookies stay outside, because neighbours of the same site could set them.
 */
export function gateHandler({ name, token, guard }: Guarded) {
  return {
    handler: 'subroute',
    routes: [
      {
        match: [{ not: [{ header: { [PROBE_HEADER]: [token] } }] }],
        handle: [askGate(name, guard)],
      },
    ],
  }
}

/** Whether only visitors whom the gate lets through get to where a route leads. */
export function isGuarded({ handle = [] }: CaddyRoute): boolean {
  return handle.some(({ handler, routes }) => {
    const inner = handler === 'subroute' ? (routes as ReturnType<typeof gateHandler>['routes']) : []
    return inner.some(each => each.handle[0]?.handler === 'reverse_proxy')
  })
}

function askGate(name: string, { address, login }: Guard) {
  return {
    handler: 'reverse_proxy',
    upstreams: [{ dial: address }],
    rewrite: { method: 'GET', uri: `/${name}?` },
    load_balancing: { try_duration: `${TRY_MS}ms`, try_interval: '100ms', retry_match: [{ method: ['-'] }] },
    transport: { protocol: 'http', dial_timeout: '200ms', response_header_timeout: '5s' },
    headers: {
      request: {
        set: {
          [GATE_HEADERS.method]: ['{http.request.method}'],
          [GATE_HEADERS.uri]: ['{http.request.uri}'],
          [GATE_HEADERS.scheme]: ['{http.request.scheme}'],
          [GATE_HEADERS.upgrade]: ['{http.request.header.Upgrade}'],
          [GATE_HEADERS.login]: [login ?? ''],
        },
        delete: ['Connection', 'Upgrade', 'Authorization'],
      },
    },
    handle_response: [
      {
        match: { status_code: [2] },
        routes: [
          {
            handle: [
              {
                handler: 'headers',
                request: {
                  set: { Authorization: [`{http.reverse_proxy.header.${GATE_HEADERS.authorization}}`] },
                  delete: ['Cookie'],
                },
              },
            ],
          },
        ],
      },
    ],
  }
}

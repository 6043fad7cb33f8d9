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
  server: 'Fairlead-Server',
} as const

/** The variable of a request that says in the switchboard's words where it goes: no header, which could be a visitor's. */
const SERVER = 'fairlead_server'

/** Where a request to a guarded name goes. */
export const GUARDED_SERVER = `{http.vars.${SERVER}}`

/** What the switchboard is asked for: what serves a name, or served it with that deployment. */
export function serverName(name: string, deployment?: string): string {
  // The dot at the end keeps the resolver from trying search domains.
  return `${deployment === undefined ? '' : `${deployment}.`}${name}.fairlead.`
}

/** Until the gate says otherwise, and for what it is not asked about. */
export function usualServer(name: string) {
  return { handler: 'vars', [SERVER]: name }
}

/** Who decides about the visitors of a name. */
export interface Guard {
  /** host:port of the gate. */
  readonly address: string
  /** Where a person gets in who has no link. */
  readonly login?: string | undefined
}

interface Guarded {
  readonly name: string
  /** The part of its host that it has, for the gate. */
  readonly prefix?: string | undefined
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
export function gateHandler({ name, prefix, token, guard }: Guarded) {
  return {
    handler: 'subroute',
    routes: [
      {
        match: [{ not: [{ header: { [PROBE_HEADER]: [token] } }] }],
        handle: [askGate(`/${name}${prefix ?? ''}`, guard)],
      },
    ],
  }
}

/** Whether only visitors whom the gate lets through get to where a route leads. */
export function isGuarded(route: CaddyRoute): boolean {
  return readGuard(route) !== undefined
}

/** Who decides about the visitors of a route; undefined: everybody may visit it. */
export function readGuard({ handle = [] }: CaddyRoute): Guard | undefined {
  const inner = handle.flatMap(({ handler, routes }) =>
    handler === 'subroute' ? (routes as ReturnType<typeof gateHandler>['routes']) : [],
  )
  const gate = inner.map(each => each.handle[0]).find(each => each?.handler === 'reverse_proxy')
  if (!gate) {
    return undefined
  }
  const login = gate.headers.request.set[GATE_HEADERS.login][0]
  return { address: gate.upstreams[0]?.dial ?? '', ...(login ? { login } : {}) }
}

/** Name and prefix go in the address: a header of a visitor could be taken for them. */
function askGate(path: string, { address, login }: Guard) {
  return {
    handler: 'reverse_proxy',
    upstreams: [{ dial: address }],
    rewrite: { method: 'GET', uri: `${path}?` },
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
              { handler: 'vars', [SERVER]: `{http.reverse_proxy.header.${GATE_HEADERS.server}}` },
            ],
          },
        ],
      },
    ],
  }
}

import type { EngineAnswer, EngineRequest } from '#exec/call.ts'
import { Secret } from '#lib/secret.ts'
import { PROBE_HEADER, UPSTREAM_HEADER } from './caddy-headers.ts'

const ADMIN_TIMEOUT_MS = 15_000

/** Caddy's whole configuration, or as much of it as Fairlead looks at; what else is in it stays as it is. */
export interface CaddyConfig {
  apps?: {
    http?: { servers?: Record<string, CaddyServer>; [key: string]: unknown }
    tls?: { automation?: { policies?: CaddyTlsPolicy[]; [key: string]: unknown }; [key: string]: unknown }
    pki?: { certificate_authorities?: Record<string, { [key: string]: unknown }>; [key: string]: unknown }
    [app: string]: unknown
  }
  [key: string]: unknown
}

export interface CaddyServer {
  /** Such as `:80`. */
  listen?: string[]
  routes?: CaddyRoute[]
  [key: string]: unknown
}

export interface CaddyRoute {
  '@id'?: string
  match?: { host?: string[]; path?: string[]; [key: string]: unknown }[]
  handle?: { handler: string; [key: string]: unknown }[]
  [key: string]: unknown
}

export interface CaddyTlsPolicy {
  '@id'?: string
  subjects?: string[]
  issuers?: { module: string }[]
  [key: string]: unknown
}

/** What the admin API said; `etag` belongs to the configuration that was read. */
export interface AdminAnswer<T> {
  readonly status: number
  readonly value: T | undefined
  readonly etag: string | undefined
  /** Why it refused, in Caddy's words. */
  readonly reason: string
}

/** The whole configuration. Caddy gives its ETag as an HTTP trailer. */
export function readConfig(origin: string): EngineRequest<AdminAnswer<CaddyConfig>> {
  return adminRequest(origin, { method: 'GET', path: '/config/' })
}

/** Replaces the whole configuration in one reload; status 412 when it is no longer the one with that ETag. */
export function writeConfig(
  origin: string,
  { config, etag }: { readonly config: CaddyConfig; readonly etag: string | undefined },
): EngineRequest<AdminAnswer<unknown>> {
  return adminRequest(origin, {
    method: 'POST',
    path: '/config/',
    body: config,
    headers: etag ? { 'If-Match': etag } : {},
  })
}

/** One route by its `@id`, without the cost of reading all; status is not 200 when there is none. */
export function readRoute(origin: string, id: string): EngineRequest<AdminAnswer<CaddyRoute>> {
  return adminRequest(origin, { method: 'GET', path: `/id/${encodeURIComponent(id)}` })
}

/** The certificate authority that signs for hosts without a public certificate (`value.root_certificate`, PEM). */
export function readAuthority(
  origin: string,
): EngineRequest<AdminAnswer<{ readonly root_certificate?: string }>> {
  return adminRequest(origin, { method: 'GET', path: '/pki/ca/local' })
}

/** Requests that the proxy has open now, by the address that answers them; undefined when it does not say. */
export function openRequests(origin: string): EngineRequest<ReadonlyMap<string, number> | undefined> {
  const request = adminRequest<unknown>(origin, { method: 'GET', path: '/reverse_proxy/upstreams' })
  return { ...request, read: answer => countsOf(readAdminAnswer(answer).value) }
}

/** One address may stand there more than once: with several ports, or as a fixed and as a found upstream. */
function countsOf(upstreams: unknown): ReadonlyMap<string, number> | undefined {
  if (!Array.isArray(upstreams)) {
    return undefined
  }
  const counts = new Map<string, number>()
  for (const { address, num_requests: requests } of upstreams) {
    const host = String(address).replace(/:\d+$/, '')
    counts.set(host, (counts.get(host) ?? 0) + Number(requests))
  }
  return counts
}

/** What a host answers through the proxy, and which upstream Caddy says it came from. */
export interface ProbeAnswer {
  readonly status: number
  readonly upstream: string | undefined
  readonly lastLine: string
}

export interface Probe {
  readonly scheme: 'http' | 'https'
  readonly port: number
  readonly host: string
  readonly path: string
  readonly token: string
  /** PEM that the host's certificate must lead to; default: the system's authorities. */
  readonly ca?: string | undefined
  readonly timeoutMs: number
}

/** Asks the proxy on this machine for a host as a browser would (Host header and SNI), over a connection of its own. */
export function probeThroughProxy(probe: Probe): EngineRequest<ProbeAnswer> {
  return {
    kind: 'request',
    engine: {
      kind: 'http',
      origin: `${probe.scheme}://127.0.0.1:${probe.port}`,
      keepAlive: false,
      ...(probe.ca ? { ca: probe.ca } : {}),
    },
    method: 'GET',
    path: probe.path,
    headers: { Host: probe.host, [PROBE_HEADER]: new Secret(probe.token) },
    timeoutMs: probe.timeoutMs,
    ok: 'any',
    read: answer => ({
      status: answer.status,
      upstream: answer.headers[UPSTREAM_HEADER.toLowerCase()],
      lastLine: lastLineOf(answer.text),
    }),
  }
}

function adminRequest<T>(
  origin: string,
  request: Pick<EngineRequest<unknown>, 'method' | 'path' | 'body' | 'headers'>,
): EngineRequest<AdminAnswer<T>> {
  return {
    kind: 'request',
    // Each change restarts Caddy's admin listener and hangs up the connections that wait for reuse.
    engine: { kind: 'http', origin, keepAlive: false },
    timeoutMs: ADMIN_TIMEOUT_MS,
    ok: 'any',
    read: readAdminAnswer<T>,
    ...request,
  }
}

function readAdminAnswer<T>(answer: EngineAnswer): AdminAnswer<T> {
  const value = answer.status === 200 ? ((answer.json ?? undefined) as T | undefined) : undefined
  return {
    status: answer.status,
    value,
    etag: answer.trailers.etag ?? answer.headers.etag,
    reason: reasonOf(answer),
  }
}

function reasonOf(answer: EngineAnswer): string {
  const said = answer.json
  if (typeof said === 'object' && said !== null && 'error' in said && typeof said.error === 'string') {
    return said.error.slice(0, 2_000)
  }
  return answer.status === 200 ? '' : answer.text.slice(0, 2_000)
}

function lastLineOf(text: string): string {
  return text.trimEnd().split('\n').at(-1)?.trim().slice(0, 200) ?? ''
}

import { request as httpRequest, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Client } from '#cli/client.ts'
import type { VisitDocument } from '#contract/rest/visits.ts'

export interface Asked {
  readonly method?: string
  readonly path?: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface Answered {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** Asks a host of the proxy on this machine, over a connection of its own. */
export async function askHost(
  { host, port }: { readonly host: string; readonly port: number },
  { method = 'GET', path = '/', body, headers = {} }: Asked = {},
): Promise<Answered> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  httpRequest({
    ...{ host: '127.0.0.1', port, method, path, agent: false },
    headers: { ...headers, host: `${host}:${port}` },
  })
    .on('response', resolve)
    .on('error', reject)
    .end(body)
  const response = await promise
  return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) }
}

/** The cookie that an answer sets, as a browser would send it back. */
export function cookieOf({ headers }: Answered): string {
  return String(headers['set-cookie']?.[0]).split(';')[0] ?? ''
}

/** What a browser wants when somebody opens a page; a page that asks by itself does not, and wakes nothing. */
export const PAGE = { accept: 'text/html,*/*;q=0.8' }

/** Somebody who has followed a link to a guarded app: where it is, the path that it begins at, and what a browser sends along from then on. */
export async function visitorOf(
  client: Client,
  app: string,
): Promise<{ host: string; port: number; path: string; headers: Record<string, string> }> {
  const { url } = await client.send<VisitDocument>('POST', `/apps/${app}/visits`, {})
  const { hostname, port, origin, pathname, search } = new URL(url)
  const place = { host: hostname, port: Number(port) }
  const cookie = cookieOf(await askHost(place, { path: pathname + search }))
  const path = pathname.slice(0, -'_fairlead/open'.length)
  return { ...place, path, headers: { ...PAGE, cookie, origin } }
}

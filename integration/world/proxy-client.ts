import type { IncomingMessage } from 'node:http'
import { request } from 'node:http'
import { get } from 'node:https'
import { text } from 'node:stream/consumers'
import { systemClock } from '#lib/clock.ts'

/** Puts a route that answers `hello` for a host before all others of a Caddy server. */
export async function addRoute(adminUrl: string, server: string, host: string): Promise<void> {
  const route = {
    match: [{ host: [host] }],
    handle: [{ handler: 'static_response', body: 'hello' }],
    terminal: true,
  }
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const put = request(`${adminUrl}/config/apps/http/servers/${server}/routes/0`, {
    method: 'PUT',
    agent: false,
    headers: { 'content-type': 'application/json' },
  })
  put.on('response', resolve).on('error', reject).end(JSON.stringify(route))
  const response = await promise
  if (response.statusCode !== 200) {
    throw new Error(`the proxy refuses the route: ${await text(response)}`)
  }
  response.resume()
}

/** What a host says over TLS on this machine; waits up to 10 s for its certificate. */
export async function getOverTls(
  host: string,
  port: number,
  ca: string,
): Promise<{ status: number; body: string }> {
  const deadline = systemClock.monotonic() + 10_000
  for (;;) {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    const options = {
      host: '127.0.0.1',
      port,
      servername: host,
      headers: { host },
      ca,
      agent: false as const,
    }
    get(options, resolve).on('error', reject)
    try {
      const response = await promise
      return { status: response.statusCode ?? 0, body: await text(response) }
    } catch (error) {
      if (systemClock.monotonic() > deadline) {
        throw error
      }
      await systemClock.sleep(50)
    }
  }
}

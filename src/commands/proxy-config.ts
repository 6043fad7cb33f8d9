import { isDeepStrictEqual } from 'node:util'
import type { EngineRequest } from '#exec/call.ts'
import { type AdminAnswer, type CaddyConfig, readConfig, readRoute, writeConfig } from '#programs/caddy.ts'
import type { NameRoutes } from '#programs/caddy-config.ts'
import { routeId } from '#programs/caddy-route.ts'
import type { Hands, ProxyFacts } from './command.ts'
import { NO_PROXY, PROXY_REFUSED, PROXY_UNREACHABLE } from './route-errors.ts'

const ADMIN_TRIES = 8
const WRITE_TRIES = 30

/** Who writes to which proxy now: Caddy loses changes of writers at the same time, so there is one. */
const writers = new Map<string, Promise<unknown>>()

export function proxyOf(hands: Hands): ProxyFacts {
  if (!hands.host.proxy) {
    throw NO_PROXY(hands.host.name)
  }
  return hands.host.proxy
}

/** The routes of a name as they are now: two small questions, however many apps there are. */
export async function readNameRoutes(hands: Hands, name: string): Promise<NameRoutes> {
  const { adminOrigin } = proxyOf(hands)
  const [http, https] = await Promise.all([
    askProxy(hands, readRoute(adminOrigin, routeId(name, 'http'))),
    askProxy(hands, readRoute(adminOrigin, routeId(name, 'https'))),
  ])
  return { http: http.value, https: https.value }
}

/**
 * Changes the proxy's configuration in one reload, or not at all when `edit` changes nothing. When another program
 * was faster, the edit is made again on what it wrote.
 */
export function changeProxy(hands: Hands, edit: (config: CaddyConfig) => CaddyConfig): Promise<void> {
  const { adminOrigin } = proxyOf(hands)
  const before = writers.get(adminOrigin) ?? Promise.resolve()
  const done = before.then(() => writeEdit(hands, edit))
  writers.set(
    adminOrigin,
    done.catch(() => {}),
  )
  return done
}

async function writeEdit(hands: Hands, edit: (config: CaddyConfig) => CaddyConfig): Promise<void> {
  const { adminOrigin } = proxyOf(hands)
  for (let tries = 1; tries <= WRITE_TRIES; tries++) {
    const { value: config = {}, etag } = await askProxy(hands, readConfig(adminOrigin))
    const wanted = edit(config)
    if (isDeepStrictEqual(wanted, config)) {
      return
    }
    const answer = await askProxy(hands, writeConfig(adminOrigin, { config: wanted, etag }))
    if (answer.status === 200) {
      return
    }
    if (answer.status !== 412) {
      throw PROXY_REFUSED(answer.reason)
    }
    await hands.clock.sleep(Math.random() * 20 * tries, hands.signal)
  }
  throw PROXY_REFUSED('another program changes it all the time')
}

/**
 * One request to the admin API. While it takes over a change its listener is replaced and a connection may be cut,
 * so a failed request is made again; a write that did arrive is then refused by its ETag and read again.
 */
export async function askProxy<T>(
  hands: Hands,
  request: EngineRequest<AdminAnswer<T>>,
): Promise<AdminAnswer<T>> {
  for (let tries = 1; ; tries++) {
    try {
      return await hands.perform(request)
    } catch (cause) {
      hands.signal.throwIfAborted()
      if (tries === ADMIN_TRIES) {
        throw PROXY_UNREACHABLE(proxyOf(hands).adminOrigin).with({ cause })
      }
      await hands.clock.sleep(15 * tries, hands.signal)
    }
  }
}

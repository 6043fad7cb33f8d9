import type { CaddyConfig } from '#programs/caddy.ts'
import { readConfig } from '#programs/caddy.ts'
import { listenedOn } from '#programs/caddy-config.ts'
import { listeningPorts, SOCKET_TABLES } from '#programs/listening-ports.ts'
import type { Hands } from './command.ts'
import type { Finding } from './host-checks.ts'
import { askProxy } from './proxy-config.ts'

/** Whether the proxy has the two ports at which visitors come, or can have them. Ports of apps are looked at by their deployments. */
export async function checkPorts(hands: Hands): Promise<Finding | undefined> {
  const { proxy, name } = hands.host
  if (!proxy) {
    return undefined
  }
  const config = await askProxy(hands, readConfig(proxy.adminOrigin)).then(
    ({ value }) => value,
    // That it does not answer is the finding of another check; one who holds its ports may be the reason.
    () => undefined,
  )
  const taken = (await Promise.all(SOCKET_TABLES.map(table => hands.perform(listeningPorts(table))))).flatMap(
    ports => [...ports],
  )
  const places = [
    { port: proxy.httpPort, setting: 'FAIRLEAD_PROXY_HTTP_PORT' },
    { port: proxy.httpsPort, setting: 'FAIRLEAD_PROXY_HTTPS_PORT' },
  ].map(place => ({ ...place, isTaken: taken.includes(place.port), isOurs: isOf(config, place.port) }))
  const lost = places.filter(({ isTaken, isOurs }) => isTaken && !isOurs)
  const [first] = lost
  if (first) {
    return {
      detail: `another program than the proxy listens on ${lost.map(({ port }) => port).join(' and ')}`,
      mend: `"ss -ltnp 'sport = :${first.port}'" on ${name} shows which. End it, or give the proxy another port (${first.setting}) and start the worker anew.`,
    }
  }
  const detail = places.map(({ port, isOurs }) => `${port} ${isOurs ? 'is of the proxy' : 'is free for it'}`)
  return { detail: detail.join(', ') }
}

function isOf(config: CaddyConfig | undefined, port: number): boolean {
  return config !== undefined && listenedOn(config).has(port)
}

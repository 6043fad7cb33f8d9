import { Type } from 'typebox'
import { takenPlace, withMoved } from '#programs/caddy-config.ts'
import { movedRoute } from '#programs/caddy-moved.ts'
import { defineCommand } from './command.ts'
import { changeProxy, proxyOf } from './proxy-config.ts'
import { Host, Prefix } from './route-data.ts'
import { RouteName } from './route-name.ts'

const strict = { additionalProperties: false } as const

export const routeRedirect = defineCommand({
  name: 'route.redirect',
  summary: 'Leads whoever asks where a name was found to where that is now; without `to` no longer.',
  role: 'worker',
  engineFree: true,
  data: Type.Object(
    {
      /** It leads nowhere itself any more. */
      name: RouteName,
      hosts: Type.Array(Host, { maxItems: 50 }),
      prefix: Type.Optional(Prefix),
      to: Type.Optional(Type.Object({ host: Host, prefix: Type.Optional(Prefix) }, strict)),
    },
    strict,
  ),
  /** The hosts that lead there: not those that something else has by now. */
  result: Type.Object({ hosts: Type.Array(Type.String()) }, strict),
  deadlineMs: 60_000,
  lock: data => `route:${data.name}`,
  async run(hands, { name, hosts, prefix, to }) {
    if (!hands.host.proxy) {
      return { hosts: [] }
    }
    const ports = proxyOf(hands)
    let free: string[] = []
    await changeProxy(hands, config => {
      free = to
        ? hosts.filter(host => takenPlace(config, { name: '', hosts: [host], prefix }) === undefined)
        : []
      const wanted = to && free.length > 0 ? { name, from: { hosts: free, prefix }, to, ports } : undefined
      const routes = {
        http: wanted && movedRoute(wanted, 'http'),
        https: wanted && movedRoute(wanted, 'https'),
      }
      return withMoved(config, { name, routes, ports })
    })
    return { hosts: free }
  },
})

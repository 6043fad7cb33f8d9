import { Type } from 'typebox'
import { visitOrigin } from '#lib/visit-origin.ts'
import { isGuarded } from '#programs/caddy-gate.ts'
import { readWanted } from '#programs/caddy-route.ts'
import { defineCommand } from './command.ts'
import { proxyOf, readNameRoutes } from './proxy-config.ts'
import { NAME_NOT_ROUTED, NAME_OPEN } from './route-errors.ts'
import { gateOf } from './route-gate.ts'
import { RouteName } from './route-name.ts'

const strict = { additionalProperties: false } as const

export const routeAdmit = defineCommand({
  name: 'route.admit',
  summary: 'Lets a person visit a guarded name who brings a ticket, once and soon.',
  role: 'worker',
  data: Type.Object(
    {
      name: RouteName,
      /** sha256 of the ticket: the journal holds nothing that lets anybody in. */
      ticket: Type.String({ pattern: '^[0-9a-f]{64}$' }),
      visitor: Type.String({ minLength: 1, maxLength: 200 }),
      /** Milliseconds since 1970. */
      until: Type.Integer({ minimum: 0 }),
    },
    strict,
  ),
  /** Where the name is found, such as `https://churn.example.org` or `https://notebooks.example.org/nb/churn`. */
  result: Type.Object({ origins: Type.Array(Type.String()) }, strict),
  deadlineMs: 20_000,
  lock: data => `route:${data.name}`,
  async run(hands, { name, ...admission }) {
    const { http } = await readNameRoutes(hands, name)
    if (!http) {
      throw NAME_NOT_ROUTED(name)
    }
    const { hosts, prefix = '/' } = readWanted(http)
    const origins = hosts.map(host => `${visitOrigin(host, proxyOf(hands))}${prefix.slice(0, -1)}`)
    if (!isGuarded(http)) {
      throw NAME_OPEN(name, origins.join(', '))
    }
    gateOf(hands).admit(name, admission)
    return { origins }
  },
})

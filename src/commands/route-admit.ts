import { Type } from 'typebox'
import { defineCommand } from './command.ts'
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
  result: Type.Object({}, strict),
  deadlineMs: 20_000,
  lock: data => `route:${data.name}`,
  async run(hands, { name, ...admission }) {
    gateOf(hands).admit(name, admission)
    return {}
  },
})

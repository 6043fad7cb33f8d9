import { Type } from 'typebox'
import { defineCommand } from './command.ts'
import { gateOf } from './route-gate.ts'

const strict = { additionalProperties: false } as const

export const routeExpel = defineCommand({
  name: 'route.expel',
  summary: 'Ends all visits of guarded names that these persons were let in for.',
  role: 'worker',
  data: Type.Object(
    {
      /** As `route.admit` named them. */
      visitors: Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { minItems: 1, maxItems: 1_000 }),
    },
    strict,
  ),
  result: Type.Object({}, strict),
  deadlineMs: 20_000,
  async run(hands, { visitors }) {
    gateOf(hands).expel(visitors)
    return {}
  },
})

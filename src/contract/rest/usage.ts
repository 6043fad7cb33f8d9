import { type Static, Type } from 'typebox'
import { strict, Time } from './fields.ts'

/** `data` of an event of an app's usage: one look at all of its running containers. */
export const UsageDocument = Type.Object(
  {
    at: Time,
    containers: Type.Array(
      Type.Object(
        {
          name: Type.String(),
          /** Processors that it kept busy since the look before; null: it was not there then. */
          processors: Type.Union([Type.Number({ minimum: 0 }), Type.Null()]),
          memory_bytes: Type.Number({ minimum: 0 }),
          /** Its limit, or all that the machine has. */
          memory_limit_bytes: Type.Number({ minimum: 0 }),
        },
        strict,
      ),
    ),
    /** How many more run, which are not told of. */
    left: Type.Integer({ minimum: 0 }),
  },
  strict,
)
export type UsageDocument = Static<typeof UsageDocument>

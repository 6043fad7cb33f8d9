import { Type } from 'typebox'
import { Id, strict } from './fields.ts'

/** Answer to a delivery that started something (202), was known already (200, duplicate) or was not for us (200, ignored). */
export const DeliveryAnswer = Type.Object(
  {
    delivery: Type.String(),
    deployments: Type.Optional(Type.Array(Id)),
    duplicate: Type.Optional(Type.Literal(true)),
    ignored: Type.Optional(Type.String()),
  },
  strict,
)
/** Deliberately says little: who cannot sign learns nothing. */
export const DeliveryRefusal = Type.Object({ error: Type.String(), id: Type.String() }, strict)

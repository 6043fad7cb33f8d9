import { type Static, Type } from 'typebox'
import { strict, Time } from './fields.ts'

export const SecretName = Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]{0,127}$' })
export const SecretDocument = Type.Object(
  { name: SecretName, revision: Type.Integer(), updated_at: Time },
  strict,
)
export type SecretDocument = Static<typeof SecretDocument>
export const SecretList = Type.Object({ items: Type.Array(SecretDocument) }, strict)
export const SecretBody = Type.Object(
  { value: Type.String({ maxLength: 65_536, secret: true, writeOnly: true }) },
  strict,
)

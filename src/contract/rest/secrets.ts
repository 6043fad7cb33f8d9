import { type Static, Type } from 'typebox'
import { strict, Time } from './fields.ts'

export const SecretName = Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]{0,127}$' })
export const SecretDocument = Type.Object(
  { name: SecretName, revision: Type.Integer(), updated_at: Time },
  strict,
)
export type SecretDocument = Static<typeof SecretDocument>
export const SecretList = Type.Object({ items: Type.Array(SecretDocument) }, strict)
export const RecipientDocument = Type.Object(
  {
    recipient: Type.String({ description: 'For `age -r`: a public key, which may be shown to anybody.' }),
    created_at: Time,
    earlier: Type.Integer({
      description: 'How many there were before it; files for them can still be read.',
    }),
  },
  { ...strict, description: 'Whom encrypted files of the repository are for.' },
)
export type RecipientDocument = Static<typeof RecipientDocument>
export const SecretBody = Type.Object(
  { value: Type.String({ maxLength: 65_536, secret: true, writeOnly: true }) },
  strict,
)

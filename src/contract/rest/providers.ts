import { type Static, Type } from 'typebox'
import { Name, Nullable, strict } from './fields.ts'
import { RoleName } from './people.ts'

/** Servers that say who somebody is (OpenID Connect), so that people sign in with the account that they have there. */
const Claim = Type.String({
  pattern: '^[!-~]{1,200}$',
  description:
    'Of what it says of a person, the part (a text or a list) that decides the role everywhere at each sign-in, by `roles`; what is not in there gives none. null: roles are given here.',
})
const Roles = Type.Record(Type.String({ pattern: '^[^\\x00-\\x1f]{1,200}$' }), RoleName)

const Rules = {
  issuer: Type.String({
    pattern: '^https?://[!-~]{1,300}$',
    description: 'Its address, below which `/.well-known/openid-configuration` is.',
  }),
  client_id: Type.String({ pattern: '^[!-~]{1,300}$' }),
}

export const ProviderBody = Type.Object(
  {
    ...Rules,
    client_secret: Type.Optional(
      Nullable(Type.String({ minLength: 1, maxLength: 1000, secret: true, writeOnly: true })),
    ),
    scopes: Type.Optional(Type.String({ pattern: '^[!-~]+(?: [!-~]+)*$', maxLength: 300 })),
    link_by_email: Type.Optional(
      Type.Boolean({ description: 'An e-mail address that it has verified is that of the account here.' }),
    ),
    makes_accounts: Type.Optional(
      Type.Boolean({ description: 'Whoever has none here gets one, with a verified e-mail address.' }),
    ),
    role_claim: Type.Optional(Nullable(Claim)),
    roles: Type.Optional(Roles),
  },
  strict,
)
export type ProviderBody = Static<typeof ProviderBody>

export const ProviderDocument = Type.Object(
  {
    name: Name,
    ...Rules,
    has_secret: Type.Boolean(),
    scopes: Type.String(),
    link_by_email: Type.Boolean(),
    makes_accounts: Type.Boolean(),
    role_claim: Nullable(Claim),
    roles: Roles,
    callback: Type.String({ description: 'What the provider has to know as the redirect address.' }),
  },
  strict,
)
export type ProviderDocument = Static<typeof ProviderDocument>
export const ProviderList = Type.Object({ items: Type.Array(ProviderDocument) }, strict)

import { type Static, Type } from 'typebox'
import { Id, Name, Nullable, strict, Time } from './fields.ts'
import { Email, RoleName } from './people.ts'

export const SCOPES = ['read', 'deploy', 'maintain', 'admin'] as const
const Scope = Type.Enum([...SCOPES], {
  description:
    'read: what viewers may; deploy: what deployers may beyond that; maintain and admin alike. Never more than its person may.',
})
export type Scope = Static<typeof Scope>
const Scopes = Type.Array(Scope, { minItems: 1, maxItems: 4, uniqueItems: true })
const TokenName = Type.String({ pattern: '^[^\\x00-\\x1f\\x7f]{1,100}$' })

export const TokenDocument = Type.Object(
  {
    id: Id,
    name: TokenName,
    person: Type.Union([Email, Type.Null()], { description: 'null: of a machine.' }),
    role: Type.Union([RoleName, Type.Null()], { description: 'Of a machine; null: as its person.' }),
    project: Type.Union([Name, Type.Null()], { description: 'Where the role holds; null: everywhere.' }),
    scopes: Type.Union([Scopes, Type.Null()], { description: 'null: whatever its person or role may.' }),
    created_at: Time,
    expires_at: Nullable(Time),
    last_used_at: Nullable(Time),
  },
  strict,
)
export type TokenDocument = Static<typeof TokenDocument>
export const TokenList = Type.Object({ items: Type.Array(TokenDocument) }, strict)

export const NewToken = Type.Object(
  {
    name: TokenName,
    scopes: Type.Optional(Scopes),
    days: Type.Optional(
      Type.Union([Type.Integer({ minimum: 1, maximum: 366 }), Type.Null()], {
        description: 'How long it holds; default 90. null: until it is removed, for machines only.',
      }),
    ),
    machine: Type.Optional(
      Type.Object(
        { role: RoleName, project: Type.Optional(Name) },
        {
          ...strict,
          description: 'Not yours, but of a machine: it outlives your account. Admins only.',
        },
      ),
    ),
  },
  strict,
)
export type NewToken = Static<typeof NewToken>

export const MadeToken = Type.Object(
  { token: Type.String({ description: 'Shown this once.' }), details: TokenDocument },
  strict,
)
export type MadeToken = Static<typeof MadeToken>

import { type Static, Type } from 'typebox'
import { HostName, Nullable, strict, Time } from './fields.ts'

const AgentRole = Type.Union([Type.Literal('worker'), Type.Literal('guardian')])
/** host:port that the manager dials. */
export const AgentAddress = Type.String({
  pattern: '^(?:\\[[0-9a-fA-F:.]+\\]|[A-Za-z0-9.-]{1,253}):[0-9]{1,5}$',
})
const TokenId = Type.String({ pattern: '^[A-Za-z0-9_-]{8}$' })
const Proof = Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' })

export const NewJoinToken = Type.Object(
  {
    role: Type.Optional(AgentRole),
    name: Type.Optional(HostName),
    from: Type.Optional(
      Type.Array(Type.String({ maxLength: 64 }), {
        minItems: 1,
        maxItems: 20,
        description: 'Addresses and networks (CIDR) from which it may be used; default: from anywhere.',
      }),
    ),
    valid_seconds: Type.Optional(
      Type.Integer({ minimum: 60, maximum: 86_400, default: 900, description: 'How long it can be used.' }),
    ),
  },
  strict,
)
export type NewJoinToken = Static<typeof NewJoinToken>

const shown = {
  id: TokenId,
  role: AgentRole,
  name: Nullable(HostName),
  from: Type.Array(Type.String()),
  created_by: Type.String(),
  created_at: Time,
  expires_at: Time,
  /** The host that used it. */
  used_by: Nullable(HostName),
  state: Type.Union([
    Type.Literal('open'),
    Type.Literal('used'),
    Type.Literal('expired'),
    Type.Literal('revoked'),
  ]),
}
export const JoinTokenDocument = Type.Object(shown, strict)
export type JoinTokenDocument = Static<typeof JoinTokenDocument>
export const JoinTokenList = Type.Object({ items: Type.Array(JoinTokenDocument) }, strict)
export const MadeJoinToken = Type.Object(
  {
    ...shown,
    token: Type.String({ description: 'Shown this once. Let the new host have it, and nobody else.' }),
    manager_url: Type.String(),
  },
  strict,
)
export type MadeJoinToken = Static<typeof MadeJoinToken>
export const JoinTokenPath = Type.Object({ id: TokenId }, strict)

/** What a host sends, and what it is answered: a text and the proof that who says it has the secret of the token. */
export const JoinBody = Type.Object(
  {
    token: TokenId,
    /** JSON of a JoinStatement, as the proof was made over it. */
    statement: Type.String({ minLength: 2, maxLength: 16_384 }),
    proof: Proof,
  },
  strict,
)
export type JoinBody = Static<typeof JoinBody>
export const JoinAnswer = Type.Object({ statement: Type.String({ maxLength: 16_384 }), proof: Proof }, strict)
export type JoinAnswer = Static<typeof JoinAnswer>

export const JoinStatement = Type.Object(
  {
    /** So that two requests are never the same, unless one is sent again. */
    nonce: Type.String({ pattern: '^[A-Za-z0-9_-]{22}$' }),
    address: AgentAddress,
    identity: Type.Record(Type.String(), Type.Unknown(), { maxProperties: 20 }),
  },
  strict,
)
export type JoinStatement = Static<typeof JoinStatement>
/** What the host pins. */
export const JoinedStatement = Type.Object(
  { host: HostName, manager: Type.Record(Type.String(), Type.Unknown(), { maxProperties: 20 }) },
  strict,
)
export type JoinedStatement = Static<typeof JoinedStatement>

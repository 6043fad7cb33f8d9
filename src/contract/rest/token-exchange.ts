import { type Static, Type } from 'typebox'
import { strict } from './fields.ts'

const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ID_TOKEN_TYPES = [
  'urn:ietf:params:oauth:token-type:id_token',
  'urn:ietf:params:oauth:token-type:jwt',
] as const

/** As RFC 8693 names them, in JSON. */
export const TokenExchangeBody = Type.Object(
  {
    grant_type: Type.Literal(GRANT_TYPE),
    subject_token_type: Type.Enum([...ID_TOKEN_TYPES]),
    subject_token: Type.String({
      pattern: '^[\\w-]+\\.[\\w-]+\\.[\\w-]*$',
      maxLength: 16_384,
      description: 'The token that the CI system gave the job.',
    }),
  },
  strict,
)
export type TokenExchangeBody = Static<typeof TokenExchangeBody>

export const TokenExchangeDocument = Type.Object(
  {
    access_token: Type.String(),
    issued_token_type: Type.Literal('urn:ietf:params:oauth:token-type:access_token'),
    token_type: Type.Literal('Bearer'),
    expires_in: Type.Integer({ description: 'Seconds.' }),
    apps: Type.Array(Type.String(), { description: 'What may be deployed with it.' }),
  },
  strict,
)
export type TokenExchangeDocument = Static<typeof TokenExchangeDocument>

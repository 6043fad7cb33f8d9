import { type Static, Type } from 'typebox'
import { Id, Name, Nullable, strict, Time } from './fields.ts'

const Issuer = Type.String({
  pattern: '^https?://[!-~]{1,500}$',
  description: 'Exactly as the tokens give it in "iss", such as https://token.actions.githubusercontent.com.',
})
const Audience = Type.String({ pattern: '^[!-~]{1,500}$' })
const Claims = Type.Record(
  Type.String({ pattern: '^[A-Za-z0-9_:./-]{1,100}$' }),
  Type.String({ minLength: 1, maxLength: 500 }),
  {
    minProperties: 1,
    maxProperties: 20,
    description:
      'What a token has to say of its job: the value of each claim, or its beginning and "*". One has to name the project (repository, repository_id, project_path, project_id or sub), one which of its jobs (ref, ref_protected, environment or sub), with more than "*". A short "ref" (GitLab) means the branch unless "ref_type" is a claim as well.',
  },
)
const Apps = Type.Array(Name, { minItems: 1, maxItems: 100, description: 'What such a job may deploy.' })

export const CiTrustDocument = Type.Object(
  {
    id: Id,
    name: Name,
    issuer: Issuer,
    audience: Audience,
    keys: Type.Union([Type.Literal('asked'), Type.Literal('given')], {
      description: 'Whether the issuer is asked for its public keys, or they were given.',
    }),
    claims: Claims,
    apps: Apps,
    created_at: Time,
    last_used_at: Nullable(Time),
  },
  strict,
)
export type CiTrustDocument = Static<typeof CiTrustDocument>
export const CiTrustList = Type.Object({ items: Type.Array(CiTrustDocument) }, strict)

export const NewCiTrust = Type.Object(
  {
    name: Name,
    issuer: Issuer,
    audience: Type.Optional({
      ...Audience,
      description: 'What the tokens have to be made for ("aud"); default: the public address of the manager.',
    }),
    claims: Claims,
    apps: Apps,
    keys: Type.Optional(
      Type.Object(
        { keys: Type.Array(Type.Record(Type.String(), Type.Unknown()), { minItems: 1, maxItems: 100 }) },
        {
          description: "The issuer's public keys (JWKS), for an issuer that the manager cannot ask.",
        },
      ),
    ),
    ca: Type.Optional(
      Type.String({ maxLength: 65_536, description: 'PEM of the authority of an issuer of your own.' }),
    ),
  },
  strict,
)
export type NewCiTrust = Static<typeof NewCiTrust>

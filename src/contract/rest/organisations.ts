import { type Static, Type } from 'typebox'
import { HostName, Id, Name, Nullable, strict, Time, Version } from './fields.ts'
import { ErrorDocument } from './problem.ts'

const GitHostKind = Type.Enum(['github', 'gitlab', 'gitea', 'forgejo'])
const Marker = Type.Enum(['topic', 'file'], {
  description:
    'What a repository says that it wants to be deployed with: the topic "fairlead", or a fairlead.yaml at the tip of its default branch.',
})
const Owner = Type.String({
  pattern: '^[A-Za-z0-9._-]{1,100}(?:/[A-Za-z0-9._-]{1,100}){0,20}$',
  description: 'Login of the organisation, or path of the group, at its Git host; default: the name.',
})
const Token = Type.String({
  secret: true,
  writeOnly: true,
  pattern: '^[\\x21-\\x7e]{8,1024}$',
  description:
    'May read the organisation and the contents of its repositories; its API and Git are asked with it.',
})
const Server = Type.String({
  minLength: 1,
  maxLength: 300,
  description: 'host or host:port of the Git server; default: the public one of its kind.',
})
const Ca = Type.String({ pattern: '-----BEGIN CERTIFICATE-----', maxLength: 65_536 })
const Discovery = Type.Boolean({
  description: 'Its repositories that carry the marker are registered and deployed by themselves.',
})

export const NewOrganisation = Type.Object(
  {
    name: Name,
    git_host: GitHostKind,
    server: Type.Optional(Server),
    owner: Type.Optional(Owner),
    token: Type.Optional(Token),
    ca: Type.Optional(Ca),
    /** Name of the worker that reads the repositories found; default: the only one. */
    host: Type.Optional(HostName),
    discovery: Type.Optional(Discovery),
    marker: Type.Optional({ ...Marker, default: 'topic' }),
  },
  strict,
)
export type NewOrganisation = Static<typeof NewOrganisation>

export const OrganisationChange = Type.Object(
  {
    token: Type.Optional(Nullable(Token)),
    ca: Type.Optional(Nullable(Ca)),
    host: Type.Optional(HostName),
    discovery: Type.Optional(Discovery),
    marker: Type.Optional(Marker),
  },
  { ...strict, minProperties: 1 },
)
export type OrganisationChange = Static<typeof OrganisationChange>

export const OrganisationDocument = Type.Object(
  {
    id: Id,
    name: Name,
    git_host: GitHostKind,
    server: Type.String(),
    owner: Type.String(),
    remote_id: Type.String({
      description: 'Its id at the Git host: another organisation that gets its name is not this one.',
    }),
    token: Type.Boolean({ description: 'Whether there is one.' }),
    ca: Nullable(Type.String()),
    host: HostName,
    discovery: Type.Boolean(),
    marker: Marker,
    repositories: Type.Integer({ description: 'How many of its repositories are registered.' }),
    listed_at: Nullable(Time),
    next_listing_at: Time,
    problem: Nullable(ErrorDocument),
    version: Version,
    created_at: Time,
    updated_at: Time,
  },
  strict,
)
export type OrganisationDocument = Static<typeof OrganisationDocument>
export const OrganisationList = Type.Object({ items: Type.Array(OrganisationDocument) }, strict)

export const OrganisationCheckDocument = Type.Object(
  {
    repositories: Type.Array(
      Type.Object(
        {
          path: Type.String(),
          outcome: Type.String({
            description:
              'registered, known, renamed, resumed, stopped, or why it was left alone: not-marked, discovery-off, fork, archived, disabled, empty, name-taken, refused.',
          }),
          repository: Nullable(Name),
          reason: Type.Optional(Type.String({ description: 'Why it was refused.' })),
        },
        strict,
      ),
    ),
  },
  strict,
)
export type OrganisationCheckDocument = Static<typeof OrganisationCheckDocument>

import { type Static, Type } from 'typebox'
import { HostName, Id, Name, Nullable, Page, PageQuery, strict, Time, Version } from './fields.ts'
import { ErrorDocument } from './problem.ts'

const hidden = { secret: true, writeOnly: true } as const

export const CredentialBody = Type.Union([
  Type.Object(
    {
      kind: Type.Literal('https'),
      username: Type.String({ pattern: '^[A-Za-z0-9._@+-]{1,128}$' }),
      password: Type.String({ ...hidden, minLength: 1, maxLength: 8192, pattern: '^[^\\r\\n\\u0000]*$' }),
    },
    strict,
  ),
  Type.Object(
    {
      kind: Type.Literal('ssh'),
      private_key: Type.String({ ...hidden, minLength: 1, maxLength: 65_536 }),
      /** Lines of a known_hosts file; only these keys of the server are accepted. */
      known_hosts: Type.String({ minLength: 1, maxLength: 65_536 }),
    },
    strict,
  ),
])
export type CredentialBody = Static<typeof CredentialBody>

const Url = Type.String({
  minLength: 1,
  maxLength: 2048,
  description: 'https://…, ssh://git@… or git@host:path',
})
const Branch = Type.String({ minLength: 1, maxLength: 200 })
const Ca = Type.String({ pattern: '-----BEGIN CERTIFICATE-----', maxLength: 65_536 })
/** A path without wildcards; Git's own rules for paths are checked as well. */
const ComposePath = Type.String({
  pattern: '^[^*?\\u0000-\\u001f]+\\.ya?ml$',
  maxLength: 1024,
  description:
    'Path of the Compose file in the repository, such as services/web/compose.yaml: it becomes the one app of the repository, which needs no file of Fairlead in it.',
})
/** 0 turns polling off. */
const PollSeconds = Type.Union([Type.Literal(0), Type.Integer({ minimum: 5, maximum: 86_400 })])

const CommitActions = Type.Optional(
  Type.Union([Type.Boolean(), Type.Null()], {
    description:
      'Messages of its commits may say what is done, such as [deploy-web] (docs/conventions.md). null, and the default: in repositories that are private as their Git host told the organisation.',
  }),
)

export const NewRepository = Type.Object(
  {
    name: Name,
    url: Url,
    branch: Type.Optional({ ...Branch, default: 'main' }),
    /** Name of the worker that reads it; default: the only one. */
    host: Type.Optional(HostName),
    credential: Type.Optional(CredentialBody),
    /** PEM of the authority of a Git server of one's own. */
    ca: Type.Optional(Ca),
    poll_seconds: Type.Optional(PollSeconds),
    compose_path: Type.Optional(ComposePath),
    /** Apps that its files describe are created by themselves. */
    auto_apps: Type.Optional(Type.Boolean()),
    commit_actions: CommitActions,
  },
  strict,
)
export type NewRepository = Static<typeof NewRepository>

const ApiUrl = Type.String({ minLength: 1, maxLength: 2048 })

/** How the Git host is told what becomes of its commits; what is not named stays, or fits the address. */
export const ReportChange = Type.Object(
  {
    on: Type.Optional(Type.Boolean()),
    git_host: Type.Optional(
      Type.String({
        pattern: '^[a-z-]{1,32}$',
        description:
          '"github", "gitlab", "gitea", "forgejo", "bitbucket" or "bitbucket-data-center". Default: by the address or the webhook.',
      }),
    ),
    api: Type.Optional({ ...ApiUrl, description: 'Such as https://git.example.org/api/v1.' }),
    username: Type.Optional(
      Nullable(
        Type.String({
          pattern: '^[A-Za-z0-9._@+-]{1,128}$',
          description: 'Only for a token of a person at Bitbucket Cloud.',
        }),
      ),
    ),
    token: Type.Optional(
      Nullable(
        Type.String({
          ...hidden,
          pattern: '^[\\x21-\\x7e]{1,4096}$',
          description: "Default: the password of the repository's credential, at the API of the same server.",
        }),
      ),
    ),
    deployments: Type.Optional(
      Type.Boolean({ description: 'GitHub: keep its deployments too, with the address of the app.' }),
    ),
    details: Type.Optional(
      Type.Boolean({
        description: 'Name private addresses and the words of errors to whoever may read the repository.',
      }),
    ),
  },
  { ...strict, minProperties: 1 },
)
export type ReportChange = Static<typeof ReportChange>

export const ReportDocument = Type.Object(
  {
    on: Type.Boolean(),
    git_host: Type.String(),
    api: ApiUrl,
    username: Nullable(Type.String()),
    token: Type.Enum(['own', 'credential', 'none'], { description: '"none": nothing is sent.' }),
    deployments: Type.Boolean(),
    details: Type.Boolean(),
    problem: Nullable(ErrorDocument),
  },
  strict,
)
export type ReportDocument = Static<typeof ReportDocument>

export const RepositoryChange = Type.Object(
  {
    report: Type.Optional(ReportChange),
    url: Type.Optional(Url),
    branch: Type.Optional(Branch),
    credential: Type.Optional(Nullable(CredentialBody)),
    ca: Type.Optional(Nullable(Ca)),
    poll_seconds: Type.Optional(PollSeconds),
    compose_path: Type.Optional(Nullable(ComposePath)),
    auto_apps: Type.Optional(Type.Boolean()),
    commit_actions: CommitActions,
  },
  { ...strict, minProperties: 1 },
)
export type RepositoryChange = Static<typeof RepositoryChange>

export const WebhookDocument = Type.Object(
  {
    url: Type.String(),
    git_host: Type.String(),
    /** Until when the secret before the current one is still accepted. */
    previous_until: Nullable(Time),
    last_delivery_at: Nullable(Time),
    last_verified_with: Nullable(
      Type.Enum(['current', 'previous'], {
        description: '"previous": the Git host does not have the new secret yet.',
      }),
    ),
    last_refused_at: Nullable({ ...Time, description: 'A delivery that was not signed; to the minute.' }),
    last_refused_reason: Nullable(
      Type.Enum(['no-signature', 'wrong-signature', 'stale-timestamp', 'no-secret']),
    ),
    problem: Nullable(ErrorDocument),
  },
  strict,
)
export type WebhookDocument = Static<typeof WebhookDocument>

export const RepositoryDocument = Type.Object(
  {
    id: Id,
    name: Name,
    url: Url,
    branch: Branch,
    host: HostName,
    credential: Nullable(
      Type.Object({ kind: Type.Union([Type.Literal('https'), Type.Literal('ssh')]) }, strict),
    ),
    ca: Nullable(Type.String()),
    poll_seconds: Type.Integer(),
    auto_apps: Type.Boolean(),
    commit_actions: Type.Boolean(),
    private: Nullable(Type.Boolean({ description: 'null: nobody has told.' })),
    compose_path: Nullable(Type.String()),
    organisation: Nullable({ ...Name, description: 'The listed organisation that it belongs to.' }),
    last_tip: Nullable(Type.String()),
    last_polled_at: Nullable(Time),
    problem: Nullable(ErrorDocument),
    paused: Type.Boolean({
      description:
        'It is looked at no more until it is changed or checked, or a webhook tells of a push; one that left its organisation not even then.',
    }),
    webhook: Nullable(WebhookDocument),
    report: Nullable(ReportDocument),
    version: Version,
    created_at: Time,
    updated_at: Time,
  },
  strict,
)
export type RepositoryDocument = Static<typeof RepositoryDocument>
export const RepositoryPage = Page(RepositoryDocument)
export const RepositoriesQuery = Type.Object(PageQuery, strict)

export const RepositoryCheckDocument = Type.Object(
  {
    commit: Type.String(),
    commit_subject: Type.String(),
    apps: Type.Array(
      Type.Object(
        { name: Type.String(), target: Type.String(), settings: Type.Record(Type.String(), Type.Unknown()) },
        strict,
      ),
    ),
    /** What is wrong in files of which each describes an app by itself (docs/conventions.md). */
    problems: ErrorDocument.properties.problems,
  },
  strict,
)
export type RepositoryCheckDocument = Static<typeof RepositoryCheckDocument>

export const WebhookSecretBody = Type.Object(
  {
    git_host: Type.Optional(
      Type.String({
        pattern: '^[a-z-]{1,32}$',
        description:
          'Who sends: "github", "gitlab", "gitea" … (docs/webhooks.md), or "hmac" for any sender that signs with X-Signature. Default: as before, else by the address.',
      }),
    ),
    /** One that the Git host made; default: a new one is made. */
    secret: Type.Optional(Type.String({ ...hidden, pattern: '^[\\x21-\\x7e]{16,512}$' })),
    /** How long the secret before stays valid. */
    keep_previous_seconds: Type.Optional(Type.Integer({ minimum: 0, maximum: 604_800, default: 86_400 })),
  },
  strict,
)
export type WebhookSecretBody = Static<typeof WebhookSecretBody>

/** The only answer that ever holds the secret. */
export const WebhookSecretDocument = Type.Object(
  {
    ...WebhookDocument.properties,
    secret: Type.String({ secret: true }),
    /** What to do at the Git host. */
    setup: Type.Array(Type.String()),
  },
  strict,
)
export type WebhookSecretDocument = Static<typeof WebhookSecretDocument>

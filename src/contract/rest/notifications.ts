import { type Static, Type } from 'typebox'
import { Id, Name, Nullable, Page, PageQuery, strict, Time, Version } from './fields.ts'
import { ErrorDocument } from './problem.ts'

const hidden = { secret: true, writeOnly: true } as const

export const CHANNEL_EVENTS = ['failed', 'recovered', 'succeeded', 'waiting', 'drift', 'problem'] as const
export type ChannelEvent = (typeof CHANNEL_EVENTS)[number]

const Events = Type.Array(Type.Enum([...CHANNEL_EVENTS]), {
  minItems: 1,
  maxItems: CHANNEL_EVENTS.length,
  uniqueItems: true,
  description:
    '"failed", "recovered" (the first success after a failure), "succeeded", "waiting" (for an approval), "drift", "problem" (of an app, a repository or an organisation). Default: all but "succeeded".',
})
const Apps = Type.Array(Name, {
  minItems: 1,
  maxItems: 200,
  uniqueItems: true,
  description: 'Only these; null for all, and for problems of repositories and organisations.',
})
const Url = Type.String({ minLength: 1, maxLength: 2048, pattern: '^https?://[^\\s@]+$' })
const Address = Type.String({ pattern: "^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}$" })
const Server = Type.String({ pattern: '^[A-Za-z0-9._:-]{1,253}$' })
const Security = Type.Enum(['starttls', 'tls', 'none'], {
  description:
    '"starttls" (default, port 587), "tls" (port 465), or "none" (port 25), which only servers on allowed private addresses may have.',
})

export const TargetBody = Type.Union([
  Type.Object(
    {
      kind: Type.Literal('webhook'),
      url: Url,
      secret: Type.Optional(
        Type.String({
          ...hidden,
          pattern: '^whsec_[A-Za-z0-9+/]{32,344}={0,2}$',
          description: 'Signs as Standard Webhooks say; default: a new one is made and shown once.',
        }),
      ),
    },
    strict,
  ),
  Type.Object(
    {
      kind: Type.Literal('slack'),
      url: { ...Url, ...hidden, description: 'Incoming webhook of Slack, Mattermost, or Discord (…/slack).' },
    },
    strict,
  ),
  Type.Object(
    {
      kind: Type.Literal('email'),
      host: Server,
      port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535 })),
      security: Type.Optional(Security),
      username: Type.Optional(Type.String({ minLength: 1, maxLength: 256, pattern: '^[^\\r\\n\\u0000]*$' })),
      password: Type.Optional(
        Type.String({ ...hidden, minLength: 1, maxLength: 1024, pattern: '^[^\\r\\n\\u0000]*$' }),
      ),
      /** PEM of the authority of a server of one's own. */
      ca: Type.Optional(Type.String({ pattern: '-----BEGIN CERTIFICATE-----', maxLength: 65_536 })),
      from: Address,
      to: Type.Array(Address, { minItems: 1, maxItems: 20, uniqueItems: true }),
    },
    strict,
  ),
])
export type TargetBody = Static<typeof TargetBody>

export const NewChannel = Type.Object(
  {
    name: Name,
    target: TargetBody,
    on: Type.Optional(Type.Boolean()),
    events: Type.Optional(Events),
    apps: Type.Optional(Nullable(Apps)),
  },
  strict,
)
export type NewChannel = Static<typeof NewChannel>

export const ChannelChange = Type.Object(
  {
    target: Type.Optional(TargetBody),
    on: Type.Optional(Type.Boolean()),
    events: Type.Optional(Events),
    apps: Type.Optional(Nullable(Apps)),
  },
  { ...strict, minProperties: 1 },
)
export type ChannelChange = Static<typeof ChannelChange>

export const ChannelDocument = Type.Object(
  {
    id: Id,
    name: Name,
    kind: Type.Enum(['webhook', 'slack', 'email']),
    on: Type.Boolean(),
    events: Events,
    apps: Nullable(Apps),
    /** Where it leads, without what is secret of it. */
    to: Type.String(),
    problem: Nullable(ErrorDocument),
    last_sent_at: Nullable(Time),
    version: Version,
    created_at: Time,
    updated_at: Time,
  },
  strict,
)
export type ChannelDocument = Static<typeof ChannelDocument>
export const ChannelPage = Page(ChannelDocument)
export const ChannelsQuery = Type.Object(PageQuery, strict)

/** The only answer that ever holds a secret. */
export const ChangedChannelDocument = Type.Object(
  {
    ...ChannelDocument.properties,
    secret: Nullable(
      Type.String({ secret: true, description: 'Of a webhook, when it was made just now: shown this once.' }),
    ),
  },
  strict,
)
export type ChangedChannelDocument = Static<typeof ChangedChannelDocument>

export const ChannelTestDocument = Type.Object({ sent: Type.Literal(true), to: Type.String() }, strict)
export type ChannelTestDocument = Static<typeof ChannelTestDocument>

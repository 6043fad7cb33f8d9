import { createHmac, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { GitHost, HostEvent } from './git-host.ts'

export interface Samples {
  /** Address of the repository that all of them are about. */
  readonly repository: string
  readonly samples: readonly Sample[]
}

export interface Sample {
  readonly about: string
  /** What the host calls it in its header. */
  readonly event?: string
  readonly body: object
  /** `push <branches>`, `push` for all, `ignored <reason>`, or `refused`. */
  readonly says: string
}

/** Hosts that word their events in the same way as another one. */
const WORDED_AS: Readonly<Record<string, string>> = {
  'gitlab-token': 'gitlab',
  forgejo: 'gitea',
  hmac: 'plain',
  standard: 'plain',
}

/** Deliveries as the documentation of the host describes them. */
export function samplesOf({ name }: GitHost): Samples {
  const file = join(import.meta.dirname, 'fixtures', `${WORDED_AS[name] ?? name}.json`)
  return JSON.parse(readFileSync(file, 'utf8')) as Samples
}

/** What deliveries say of a repository that only its members may read, and of others. */
interface Visibility {
  readonly field: 'repository' | 'project'
  readonly closed: object
  readonly open: readonly object[]
}

const GITEA: Visibility = {
  field: 'repository',
  closed: { private: true, internal: false },
  open: [
    { private: false, internal: true },
    { private: false, internal: false },
  ],
}
const GITLAB: Visibility = {
  field: 'project',
  closed: { visibility_level: 0 },
  open: [{ visibility_level: 10 }, { visibility_level: 20 }],
}
const VISIBILITIES: Readonly<Record<string, Visibility>> = {
  github: {
    field: 'repository',
    closed: { private: true, visibility: 'private' },
    open: [
      { private: true, visibility: 'internal' },
      { private: false, visibility: 'public' },
    ],
  },
  gitlab: GITLAB,
  'gitlab-token': GITLAB,
  gitea: GITEA,
  forgejo: GITEA,
  gogs: GITEA,
  bitbucket: { field: 'repository', closed: { is_private: true }, open: [{ is_private: false }] },
  'bitbucket-data-center': {
    field: 'repository',
    closed: { public: false },
    open: [{ public: true }, { public: false, project: { key: 'PROJ', public: true } }],
  },
}

/** The push of a host's samples, of a repository that is private, and of ones that are not; undefined if it never says. */
export function pushesByVisibility(host: GitHost): { closed: Sample; open: readonly Sample[] } | undefined {
  const visibility = VISIBILITIES[host.name]
  const sample = samplesOf(host).samples.find(({ says }) => says === 'push main')
  if (!visibility || !sample) {
    return undefined
  }
  const { field, closed, open } = visibility
  const said = (sample.body as Readonly<Record<string, object>>)[field]
  const seen = (fields: object) => ({
    ...sample,
    body: { ...sample.body, [field]: { ...said, ...fields } },
  })
  return { closed: seen(closed), open: open.map(seen) }
}

export interface Signing {
  readonly secret: string
  readonly body: string | Buffer
  readonly event?: string | undefined
  readonly id?: string
  /** ms since 1970. */
  readonly at: number
}

/** The headers with which the host sends the body. */
export function signedHeaders(host: GitHost, signing: Signing): Record<string, string> {
  const { body, secret, event, at, id = randomUUID() } = signing
  const { headers } = host
  const timestamp = String(Math.floor(at / 1000))
  return {
    ...(headers.delivery === undefined ? {} : { [headers.delivery]: id }),
    ...(headers.event === undefined || event === undefined ? {} : { [headers.event]: event }),
    ...(headers.timestamp === undefined ? {} : { [headers.timestamp]: timestamp }),
    [headers.signature]: signatureOf(host, { secret, body, id, timestamp }),
  }
}

interface Signed {
  readonly secret: string
  readonly body: string | Buffer
  readonly id: string
  readonly timestamp: string
}

function signatureOf({ name }: GitHost, { secret, body, id, timestamp }: Signed): string {
  const hex = () => createHmac('sha256', secret).update(body).digest('hex')
  switch (name) {
    case 'github':
    case 'bitbucket':
    case 'bitbucket-data-center':
      return `sha256=${hex()}`
    case 'gitlab-token':
      return secret
    case 'gitlab':
    case 'standard': {
      const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
      return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')}`
    }
    default:
      return hex()
  }
}

/** An event in the words of `Sample.says`. */
export function saying(event: HostEvent): string {
  return event.kind === 'push' ? ['push', ...(event.branches ?? [])].join(' ') : `ignored ${event.reason}`
}

import { Type } from 'typebox'
import { check } from '#lib/check.ts'
import { dataCenterReporting } from './bitbucket-report.ts'
import { PAYLOAD_NOT_UNDERSTOOD } from './errors.ts'
import {
  branchOf,
  defineGitHost,
  type HostEvent,
  ignored,
  notBranch,
  type Origin,
  pushed,
  type RawDelivery,
} from './git-host.ts'
import { idIn, Ref, RemoteId, textIn } from './payload-fields.ts'
import { afterSha256, isSigned } from './signature.ts'

const HEADERS = { signature: 'x-hub-signature', delivery: 'x-request-id', event: 'x-event-key' } as const
const PING = 'diagnostics:ping'

export const bitbucketDataCenter = defineGitHost({
  name: 'bitbucket-data-center',
  title: 'Bitbucket Data Center',
  summary: 'Bitbucket Data Center and Server: a webhook of the repository with a secret.',
  setup: [
    'Repository, Repository settings, Webhooks, Create webhook.',
    'URL: the address. Secret: the secret.',
    'Events: Repository push, and Pull request merged if a merge shall count before its push arrives.',
    '"Test connection" is answered with success and changes nothing.',
  ],
  headers: HEADERS,
  reporting: dataCenterReporting,
  verify: ({ headers, body }, secrets) => isSigned(body, afterSha256(headers[HEADERS.signature]), secrets),
  isUnsignedTest,
  read: ({ headers }, body) => readDataCenterEvent(headers[HEADERS.event] ?? '', body),
})

const Repository = Type.Object({
  id: RemoteId,
  slug: Type.String({ minLength: 1, maxLength: 256 }),
  project: Type.Object({
    key: Type.String({ minLength: 1, maxLength: 256 }),
    public: Type.Optional(Type.Unknown()),
  }),
  public: Type.Optional(Type.Unknown()),
})
const Push = Type.Object({
  changes: Type.Array(Type.Object({ ref: Type.Object({ id: Ref }), type: Type.String({ maxLength: 100 }) })),
  repository: Repository,
})
const PullRequest = Type.Object({
  pullRequest: Type.Object({ toRef: Type.Object({ id: Ref, repository: Repository }) }),
})
const Anything = Type.Object({ repository: Type.Optional(Type.Unknown()) })

/** "Test connection" may be pressed before there is a secret. Nothing but that very body is let through. */
function isUnsignedTest({ headers, body }: RawDelivery): boolean {
  return (
    headers[HEADERS.event] === PING && /^\s*\{\s*"test"\s*:\s*true\s*\}\s*$/.test(body.toString('latin1'))
  )
}

function readDataCenterEvent(event: string, body: unknown): HostEvent {
  switch (event) {
    case 'repo:refs_changed':
      return readPush(body)
    case 'pr:merged': {
      const { toRef } = check(PullRequest, body, 'The merge event', PAYLOAD_NOT_UNDERSTOOD).pullRequest
      const branch = branchOf(toRef.id)
      return pushed(branch === undefined ? undefined : [branch], originOf(toRef.repository))
    }
    default: {
      const { repository } = check(Anything, body, 'The event', PAYLOAD_NOT_UNDERSTOOD)
      return ignored(
        event === PING ? 'ping' : 'event',
        originOf((repository ?? {}) as Record<string, unknown>),
      )
    }
  }
}

/** One push may move many branches and tags. */
function readPush(body: unknown): HostEvent {
  const { changes, repository } = check(Push, body, 'The push event', PAYLOAD_NOT_UNDERSTOOD)
  const origin = originOf(repository)
  const heads = changes.filter(({ ref }) => branchOf(ref.id) !== undefined)
  const moved = heads.filter(({ type }) => type !== 'DELETE').map(({ ref }) => branchOf(ref.id) ?? '')
  if (moved.length > 0) {
    return pushed(moved, origin)
  }
  const tag = changes.find(({ ref }) => ref.id.startsWith('refs/tags/'))
  return heads.length > 0 ? ignored('branch-deleted', origin) : notBranch(tag?.ref.id ?? '', origin)
}

function originOf(repository: { readonly [field: string]: unknown }): Origin {
  const { id, slug, public: isPublic } = repository
  const project = (repository.project ?? {}) as { readonly key?: unknown; readonly public?: unknown }
  const key = textIn(project.key)
  const name = textIn(slug)
  return {
    remoteId: idIn(id),
    remotePath: key === undefined || name === undefined ? undefined : `${key}/${name}`,
    // In a public project everybody reads all of its repositories.
    isPrivate: typeof isPublic === 'boolean' ? !isPublic && project.public !== true : undefined,
  }
}

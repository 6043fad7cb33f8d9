import { Type } from 'typebox'
import { check } from '#lib/check.ts'
import { bitbucketReporting } from './bitbucket-report.ts'
import { PAYLOAD_NOT_UNDERSTOOD } from './errors.ts'
import { defineGitHost, type HostEvent, ignored, notBranch, type Origin, pushed } from './git-host.ts'
import { Ref, RemotePath, textIn } from './payload-fields.ts'
import { afterSha256, isSigned } from './signature.ts'

const HEADERS = {
  // With a SHA-256 in it, unlike the header of the same name at GitHub.
  signature: 'x-hub-signature',
  delivery: 'x-request-uuid',
  event: 'x-event-key',
} as const

export const bitbucket = defineGitHost({
  name: 'bitbucket',
  title: 'Bitbucket Cloud',
  summary: 'Bitbucket Cloud: a webhook of the repository with a secret.',
  sites: ['bitbucket.org'],
  setup: [
    'Repository, Repository settings, Webhooks, Add webhook.',
    'URL: the address. Secret: the secret.',
    'Triggers: Repository push, and Pull request merged if a merge shall count before its push arrives.',
  ],
  headers: HEADERS,
  reporting: bitbucketReporting,
  verify: ({ headers, body }, secrets) => isSigned(body, afterSha256(headers[HEADERS.signature]), secrets),
  read: ({ headers }, body) => readBitbucketEvent(headers[HEADERS.event] ?? '', body),
})

const Repository = Type.Object({
  uuid: Type.String({ minLength: 1, maxLength: 100 }),
  full_name: Type.Optional(RemotePath),
  is_private: Type.Optional(Type.Unknown()),
})
const Reference = Type.Union([Type.Object({ type: Type.String({ maxLength: 100 }), name: Ref }), Type.Null()])
const Push = Type.Object({
  push: Type.Object({
    changes: Type.Array(Type.Object({ new: Type.Optional(Reference), old: Type.Optional(Reference) })),
  }),
  repository: Repository,
})
const PullRequest = Type.Object({
  pullrequest: Type.Object({ destination: Type.Object({ branch: Type.Object({ name: Ref }) }) }),
  repository: Repository,
})
const Anything = Type.Object({ repository: Type.Optional(Type.Unknown()) })

function readBitbucketEvent(event: string, body: unknown): HostEvent {
  switch (event) {
    case 'repo:push':
      return readPush(body)
    case 'pullrequest:fulfilled': {
      const { pullrequest, repository } = check(PullRequest, body, 'The merge event', PAYLOAD_NOT_UNDERSTOOD)
      return pushed([pullrequest.destination.branch.name], originOf(repository))
    }
    default: {
      const { repository } = check(Anything, body, 'The event', PAYLOAD_NOT_UNDERSTOOD)
      return ignored('event', originOf((repository ?? {}) as Record<string, unknown>))
    }
  }
}

/** One push may move many branches and tags. */
function readPush(body: unknown): HostEvent {
  const { push, repository } = check(Push, body, 'The push event', PAYLOAD_NOT_UNDERSTOOD)
  const origin = originOf(repository)
  const branches = push.changes.flatMap(({ new: now }) => (now?.type === 'branch' ? [now.name] : []))
  if (branches.length > 0) {
    return pushed(branches, origin)
  }
  const deletes = push.changes.some(({ new: now, old }) => !now && old?.type === 'branch')
  const isTag = push.changes.some(({ new: now }) => now?.type === 'tag')
  return deletes ? ignored('branch-deleted', origin) : notBranch(isTag ? 'refs/tags/' : '', origin)
}

function originOf(repository: { readonly [field: string]: unknown }): Origin {
  const { uuid, full_name: path, is_private: told } = repository
  const isPrivate = typeof told === 'boolean' ? told : undefined
  return { remoteId: textIn(uuid), remotePath: textIn(path), isPrivate }
}

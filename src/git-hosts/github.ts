import { Type } from 'typebox'
import { check } from '#lib/check.ts'
import { PAYLOAD_NOT_UNDERSTOOD } from './errors.ts'
import { branchOf, defineGitHost, type HostEvent, isNoCommit, type RawDelivery } from './git-host.ts'
import { isSigned } from './signature.ts'

export const github = defineGitHost({
  name: 'github',
  summary: 'GitHub and GitHub Enterprise: repository, organisation and app webhooks with a secret.',
  headers: {
    signature: 'x-hub-signature-256',
    delivery: 'x-github-delivery',
    event: 'x-github-event',
  },
  verify: isSignedByGithub,
  read: readGithubEvent,
})

// Only the fields that are used; ids above 2^53 would have lost digits in JSON.parse.
const Repository = Type.Object({ id: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }) })
const Push = Type.Object({
  ref: Type.String({ maxLength: 1024 }),
  before: Type.String({ pattern: '^[0-9a-f]{40,64}$' }),
  after: Type.String({ pattern: '^[0-9a-f]{40,64}$' }),
  repository: Repository,
})
const PullRequest = Type.Object({
  action: Type.String({ maxLength: 100 }),
  pull_request: Type.Object({
    merged: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])),
    base: Type.Object({ ref: Type.String({ maxLength: 1024 }) }),
  }),
  repository: Repository,
})
const Anything = Type.Object({
  repository: Type.Optional(Type.Object({ id: Type.Optional(Type.Unknown()) })),
})

function isSignedByGithub({ headers, body }: RawDelivery, secrets: readonly string[]): boolean {
  const given = headers[github.headers.signature] ?? ''
  return isSigned(body, given.startsWith('sha256=') ? given.slice('sha256='.length) : '', secrets)
}

function readGithubEvent({ headers }: RawDelivery, body: unknown): HostEvent {
  const event = headers['x-github-event'] ?? ''
  switch (event) {
    case 'push':
      return readPush(body)
    case 'pull_request':
      return readPullRequest(body)
    case 'ping':
      return { kind: 'ignored', reason: 'ping', remoteId: idOfAny(body) }
    default:
      return { kind: 'ignored', reason: 'event', remoteId: idOfAny(body) }
  }
}

function readPush(body: unknown): HostEvent {
  const push = check(Push, body, 'The push event', PAYLOAD_NOT_UNDERSTOOD)
  const remoteId = String(push.repository.id)
  const branch = branchOf(push.ref)
  if (branch === undefined) {
    return { kind: 'ignored', reason: 'not-a-branch', remoteId }
  }
  // A deleted branch stops nothing: what runs keeps running.
  if (isNoCommit(push.after)) {
    return { kind: 'ignored', reason: 'branch-deleted', remoteId }
  }
  return { kind: 'push', branch, remoteId }
}

/** A merge also sends a push; whichever comes first starts the deployment, the other one joins it. */
function readPullRequest(body: unknown): HostEvent {
  const event = check(PullRequest, body, 'The pull_request event', PAYLOAD_NOT_UNDERSTOOD)
  const remoteId = String(event.repository.id)
  // A pull request that was closed without merging carries a merge_commit_sha too, so only `merged` tells.
  if (event.action !== 'closed' || event.pull_request.merged !== true) {
    return { kind: 'ignored', reason: 'not-merged', remoteId }
  }
  return { kind: 'push', branch: event.pull_request.base.ref, remoteId }
}

/** Events that are ignored anyway may have any shape; organisation events have no repository. */
function idOfAny(body: unknown): string | undefined {
  const id = check(Anything, body, 'The event', PAYLOAD_NOT_UNDERSTOOD).repository?.id
  return Number.isSafeInteger(id) ? String(id) : undefined
}

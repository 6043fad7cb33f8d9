import { type Static, Type } from 'typebox'
import { check } from '#lib/check.ts'
import { PAYLOAD_NOT_UNDERSTOOD } from './errors.ts'
import { branchOf, type HostEvent, ignored, isNoCommit, notBranch, type Origin, pushed } from './git-host.ts'
import { CommitId, idIn, isPrivateIn, Ref, RemoteId, RemotePath, textIn } from './payload-fields.ts'

// Only the fields that are used.
const VISIBILITY = { private: Type.Optional(Type.Unknown()), visibility: Type.Optional(Type.Unknown()) }
const Repository = Type.Object({ id: RemoteId, full_name: Type.Optional(RemotePath), ...VISIBILITY })
const Push = Type.Object({ ref: Ref, before: CommitId, after: CommitId, repository: Repository })
const PullRequest = Type.Object({
  action: Type.String({ maxLength: 100 }),
  pull_request: Type.Object({
    merged: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])),
    base: Type.Optional(Type.Object({ ref: Ref })),
    /** Gogs. */
    base_branch: Type.Optional(Ref),
  }),
  repository: Repository,
})
const Anything = Type.Object({
  repository: Type.Optional(
    Type.Object({
      id: Type.Optional(Type.Unknown()),
      full_name: Type.Optional(Type.Unknown()),
      ...VISIBILITY,
    }),
  ),
})

/** GitHub's events; Gogs, Gitea and Forgejo word theirs the same way. */
export function readGithubEvent(event: string, body: unknown): HostEvent {
  switch (event) {
    case 'push':
      return readPush(body)
    case 'pull_request':
      return readPullRequest(body)
    case 'ping':
      return ignored('ping', originOfAny(body))
    default:
      return ignored('event', originOfAny(body))
  }
}

function readPush(body: unknown): HostEvent {
  const push = check(Push, body, 'The push event', PAYLOAD_NOT_UNDERSTOOD)
  const origin = originOf(push.repository)
  const branch = branchOf(push.ref)
  if (branch === undefined) {
    return notBranch(push.ref, origin)
  }
  // Gitea and its relatives test a webhook with a push that moves nothing, also one from no commit to no commit.
  if (push.before === push.after) {
    return ignored('ping', origin)
  }
  // A deleted branch stops nothing: what runs keeps running.
  return isNoCommit(push.after) ? ignored('branch-deleted', origin) : pushed([branch], origin)
}

/** A merge also sends a push; whichever comes first starts the deployment, the other one joins it. */
function readPullRequest(body: unknown): HostEvent {
  const event = check(PullRequest, body, 'The pull_request event', PAYLOAD_NOT_UNDERSTOOD)
  const { merged, base, base_branch: baseBranch } = event.pull_request
  const origin = originOf(event.repository)
  // A pull request that was closed without merging carries a merge_commit_sha too, so only `merged` tells.
  if (event.action !== 'closed' || merged !== true) {
    return ignored('not-merged', origin)
  }
  const branch = base?.ref ?? baseBranch
  return pushed(branch === undefined ? undefined : [branch], origin)
}

function originOf(repository: Static<typeof Repository>): Origin {
  const { id, full_name: path } = repository
  return { remoteId: String(id), remotePath: path, isPrivate: isPrivateIn(repository) }
}

/** Events that are ignored anyway may have any shape; organisation events have no repository. */
function originOfAny(body: unknown): Origin {
  const { repository = {} } = check(Anything, body, 'The event', PAYLOAD_NOT_UNDERSTOOD)
  const { id, full_name: path } = repository
  return { remoteId: idIn(id), remotePath: textIn(path), isPrivate: isPrivateIn(repository) }
}

import { type Static, Type } from 'typebox'
import { check } from '#lib/check.ts'
import { PAYLOAD_NOT_UNDERSTOOD } from './errors.ts'
import { branchOf, type HostEvent, ignored, isNoCommit, notBranch, type Origin, pushed } from './git-host.ts'
import { CommitId, idIn, Ref, RemoteId, RemotePath, textIn } from './payload-fields.ts'

const Project = Type.Object({
  id: Type.Optional(RemoteId),
  path_with_namespace: Type.Optional(RemotePath),
  visibility_level: Type.Optional(Type.Unknown()),
})
const Push = Type.Object({ ref: Ref, after: CommitId, project_id: RemoteId, project: Type.Optional(Project) })
const MergeRequest = Type.Object({
  project: Type.Object({ ...Project.properties, id: RemoteId }),
  object_attributes: Type.Object({
    action: Type.Optional(Type.String({ maxLength: 100 })),
    target_branch: Ref,
  }),
})
const Anything = Type.Object({
  object_kind: Type.Optional(Type.Unknown()),
  event_name: Type.Optional(Type.Unknown()),
  project_id: Type.Optional(Type.Unknown()),
  project: Type.Optional(Type.Unknown()),
})

/** GitLab's events. What one is says its body, which is signed or at least vouched for; the header only repeats it. */
export function readGitlabEvent(body: unknown): HostEvent {
  const event = check(Anything, body, 'The event', PAYLOAD_NOT_UNDERSTOOD)
  // System hooks have no object_kind for pushes.
  switch (event.object_kind ?? event.event_name) {
    case 'push':
      return readPush(body)
    case 'tag_push':
      return notBranch('refs/tags/', originOfAny(event))
    case 'merge_request':
      return readMergeRequest(body)
    default:
      return ignored('event', originOfAny(event))
  }
}

function readPush(body: unknown): HostEvent {
  const push = check(Push, body, 'The push event', PAYLOAD_NOT_UNDERSTOOD)
  const origin = {
    remoteId: String(push.project_id),
    remotePath: push.project?.path_with_namespace,
    isPrivate: isPrivateIn(push.project),
  }
  const branch = branchOf(push.ref)
  if (branch === undefined) {
    return notBranch(push.ref, origin)
  }
  return isNoCommit(push.after) ? ignored('branch-deleted', origin) : pushed([branch], origin)
}

/** A merge also sends a push; whichever comes first starts the deployment, the other one joins it. */
function readMergeRequest(body: unknown): HostEvent {
  const event = check(MergeRequest, body, 'The merge request event', PAYLOAD_NOT_UNDERSTOOD)
  const { id, path_with_namespace: remotePath } = event.project
  const origin = { remoteId: String(id), remotePath, isPrivate: isPrivateIn(event.project) }
  const { action, target_branch: branch } = event.object_attributes
  return action === 'merge' ? pushed([branch], origin) : ignored('not-merged', origin)
}

function originOfAny({ project_id: id, project }: Static<typeof Anything>): Origin {
  const named = typeof project === 'object' && project !== null ? (project as Record<string, unknown>) : {}
  return {
    remoteId: idIn(id) ?? idIn(named.id),
    remotePath: textIn(named.path_with_namespace),
    isPrivate: isPrivateIn(named),
  }
}

/** Level 0 is private; 10 is for every account of the server, 20 for everybody. */
function isPrivateIn(project: { readonly visibility_level?: unknown } | undefined): boolean | undefined {
  const level = project?.visibility_level
  return typeof level === 'number' ? level === 0 : undefined
}

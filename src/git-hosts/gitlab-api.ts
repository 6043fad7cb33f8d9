import { type Static, Type } from 'typebox'
import { check } from '#lib/check.ts'
import type { HttpRequest } from '#lib/http-request.ts'
import { API_NOT_UNDERSTOOD } from './errors.ts'
import { type HostApi, type OwnerPlace, optional, type RemoteRepository } from './host-api.ts'
import { RemoteId, RemotePath } from './payload-fields.ts'

/** GitLab: the owner is a group, its repositories are the projects of it and of its subgroups. */
export const gitlabApi: HostApi = {
  name: 'gitlab',
  gitUsername: 'oauth2',
  owner: place => ask(place, `/groups/${encodeURIComponent(place.owner)}?with_projects=false`),
  readOwner(body) {
    const { id, full_path: path } = check(Group, body, 'The group', API_NOT_UNDERSTOOD)
    return { id: String(id), path }
  },
  repositories: (place, page) =>
    ask(
      place,
      `/groups/${encodeURIComponent(place.owner)}/projects?include_subgroups=true&with_shared=false&order_by=id&sort=asc&per_page=100&page=${page}`,
    ),
  readRepositories: body =>
    check(Type.Array(Project), body, 'The list of projects', API_NOT_UNDERSTOOD).map(read),
  repository: (place, path) => ask(place, `/projects/${encodeURIComponent(path)}`),
  readRepository: body => read(check(Project, body, 'The project', API_NOT_UNDERSTOOD)),
  file: (place, { id }, file) =>
    ask(place, `/projects/${id}/repository/files/${encodeURIComponent(file)}?ref=HEAD`),
}

const Group = Type.Object({ id: RemoteId, full_path: RemotePath })
const Project = Type.Object({
  id: RemoteId,
  path_with_namespace: RemotePath,
  default_branch: optional.text,
  archived: optional.boolean,
  /** `internal` is read by everybody who has an account. */
  visibility: optional.text,
  empty_repo: optional.boolean,
  /** "disabled" when the project has no repository. */
  repository_access_level: optional.text,
  /** Set while it waits for its deletion. */
  marked_for_deletion_on: optional.text,
  forked_from_project: Type.Optional(Type.Unknown()),
  topics: optional.topics,
})

function read(project: Static<typeof Project>): RemoteRepository {
  const { id, path_with_namespace: path, default_branch: branch, topics } = project
  const told = project.visibility ? { isPrivate: project.visibility === 'private' } : {}
  const common = { id: String(id), path, branch: branch || undefined, topics: topics ?? [] }
  return { ...common, ...told, unfit: unfitOf(project) }
}

function unfitOf(project: Static<typeof Project>): RemoteRepository['unfit'] {
  if (project.forked_from_project !== undefined && project.forked_from_project !== null) {
    return 'fork'
  }
  if (project.archived === true) {
    return 'archived'
  }
  if (project.repository_access_level === 'disabled' || project.marked_for_deletion_on) {
    return 'disabled'
  }
  return project.empty_repo === true ? 'empty' : undefined
}

function ask({ server, token }: OwnerPlace, path: string): HttpRequest {
  return {
    method: 'GET',
    url: `https://${server}/api/v4${path}`,
    headers: { accept: 'application/json', ...(token ? { 'private-token': token } : {}) },
  }
}

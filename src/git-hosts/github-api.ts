import { type Static, Type } from 'typebox'
import { check } from '#lib/check.ts'
import type { HttpRequest } from '#lib/http-request.ts'
import { Secret } from '#lib/secret.ts'
import { API_NOT_UNDERSTOOD } from './errors.ts'
import { encodedPath, type HostApi, type OwnerPlace, optional, type RemoteRepository } from './host-api.ts'
import { isPrivateIn, RemoteId, RemotePath } from './payload-fields.ts'

/** GitHub and GitHub Enterprise. */
export const githubApi: HostApi = {
  name: 'github',
  gitUsername: 'x-access-token',
  owner: place => ask(place, `/orgs/${encodedPath(place.owner)}`),
  readOwner(body) {
    const { id, login } = check(Owner, body, 'The organisation', API_NOT_UNDERSTOOD)
    return { id: String(id), path: login }
  },
  repositories: (place, page) =>
    ask(place, `/orgs/${encodedPath(place.owner)}/repos?type=all&sort=full_name&per_page=100&page=${page}`),
  readRepositories: body =>
    check(Type.Array(GithubRepository), body, 'The list of repositories', API_NOT_UNDERSTOOD).map(read),
  repository: (place, path) => ask(place, `/repos/${encodedPath(path)}`),
  readRepository: body => read(check(GithubRepository, body, 'The repository', API_NOT_UNDERSTOOD)),
  file: (place, { path }, file) => ask(place, `/repos/${encodedPath(path)}/contents/${encodedPath(file)}`),
}

const Owner = Type.Object({ id: RemoteId, login: RemotePath })

/** Gitea and Forgejo word theirs the same way. */
export const GithubRepository = Type.Object({
  id: RemoteId,
  full_name: RemotePath,
  fork: optional.boolean,
  archived: optional.boolean,
  private: optional.boolean,
  visibility: optional.text,
  disabled: optional.boolean,
  /** Gitea and Forgejo. */
  empty: optional.boolean,
  default_branch: optional.text,
  topics: optional.topics,
})

export function read(repository: Static<typeof GithubRepository>): RemoteRepository {
  const { id, full_name: path, default_branch: branch, topics } = repository
  const unfit = (['fork', 'archived', 'disabled', 'empty'] as const).find(word => repository[word] === true)
  const isPrivate = isPrivateIn(repository)
  const told = isPrivate === undefined ? {} : { isPrivate }
  return { id: String(id), path, branch: branch || undefined, topics: topics ?? [], ...told, unfit }
}

function ask({ server, token }: OwnerPlace, path: string): HttpRequest {
  const base = server === 'github.com' ? 'https://api.github.com' : `https://${server}/api/v3`
  return {
    method: 'GET',
    url: `${base}${path}`,
    headers: {
      accept: 'application/vnd.github+json',
      'x-github-api-version': '2022-11-28',
      ...(token ? { authorization: new Secret(`Bearer ${token.reveal()}`) } : {}),
    },
  }
}

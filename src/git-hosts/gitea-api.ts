import { Type } from 'typebox'
import { check } from '#lib/check.ts'
import type { HttpRequest } from '#lib/http-request.ts'
import { Secret } from '#lib/secret.ts'
import { API_NOT_UNDERSTOOD } from './errors.ts'
import { GithubRepository, read } from './github-api.ts'
import { encodedPath, type HostApi, type OwnerPlace, optional } from './host-api.ts'
import { RemoteId } from './payload-fields.ts'

/** Gitea, and Forgejo under its own name. */
export const giteaApi: HostApi = giteaLike('gitea')
export const forgejoApi: HostApi = giteaLike('forgejo')

function giteaLike(name: string): HostApi {
  return {
    name,
    // With a token as the password any name will do.
    gitUsername: 'git',
    owner: place => ask(place, `/orgs/${encodedPath(place.owner)}`),
    readOwner(body) {
      const { id, name: path, username } = check(Owner, body, 'The organisation', API_NOT_UNDERSTOOD)
      return { id: String(id), path: path || username || '' }
    },
    repositories: (place, page) =>
      ask(place, `/orgs/${encodedPath(place.owner)}/repos?limit=50&page=${page}`),
    readRepositories: body =>
      check(Type.Array(GithubRepository), body, 'The list of repositories', API_NOT_UNDERSTOOD).map(read),
    repository: (place, path) => ask(place, `/repos/${encodedPath(path)}`),
    readRepository: body => read(check(GithubRepository, body, 'The repository', API_NOT_UNDERSTOOD)),
    file: (place, { path }, file) => ask(place, `/repos/${encodedPath(path)}/contents/${encodedPath(file)}`),
  }
}

/** Older versions have only `username`. */
const Owner = Type.Object({ id: RemoteId, name: optional.text, username: optional.text })

function ask({ server, token }: OwnerPlace, path: string): HttpRequest {
  return {
    method: 'GET',
    url: `https://${server}/api/v1${path}`,
    headers: {
      accept: 'application/json',
      ...(token ? { authorization: new Secret(`token ${token.reveal()}`) } : {}),
    },
  }
}

import { bitbucket } from './bitbucket.ts'
import { bitbucketDataCenter } from './bitbucket-data-center.ts'
import { forgejo } from './forgejo.ts'
import type { GitHost } from './git-host.ts'
import { gitea } from './gitea.ts'
import { forgejoApi, giteaApi } from './gitea-api.ts'
import { github } from './github.ts'
import { githubApi } from './github-api.ts'
import { gitlab } from './gitlab.ts'
import { gitlabApi } from './gitlab-api.ts'
import { gitlabToken } from './gitlab-token.ts'
import { gogs } from './gogs.ts'
import { hmac } from './hmac.ts'
import type { HostApi } from './host-api.ts'
import { standard } from './standard.ts'

/** Every Git host whose webhooks are understood. */
export const GIT_HOSTS: readonly GitHost[] = [
  github,
  gitlab,
  gitlabToken,
  gitea,
  forgejo,
  gogs,
  bitbucket,
  bitbucketDataCenter,
  standard,
  hmac,
]

export function gitHostNamed(name: string): GitHost | undefined {
  return GIT_HOSTS.find(host => host.name === name)
}

/** The kind of a public server, by its host name. */
export function gitHostAt(server: string): GitHost | undefined {
  return GIT_HOSTS.find(host => host.sites?.includes(server))
}

/** Every Git host that can be asked which repositories an organisation has. */
export const HOST_APIS: readonly HostApi[] = [githubApi, gitlabApi, giteaApi, forgejoApi]

export function hostApiNamed(name: string): HostApi | undefined {
  return HOST_APIS.find(api => api.name === name)
}

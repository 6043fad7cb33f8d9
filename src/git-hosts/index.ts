import { bitbucket } from './bitbucket.ts'
import { bitbucketDataCenter } from './bitbucket-data-center.ts'
import { forgejo } from './forgejo.ts'
import type { GitHost } from './git-host.ts'
import { gitea } from './gitea.ts'
import { github } from './github.ts'
import { gitlab } from './gitlab.ts'
import { gitlabToken } from './gitlab-token.ts'
import { gogs } from './gogs.ts'
import { hmac } from './hmac.ts'
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

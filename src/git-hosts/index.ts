import type { GitHost } from './git-host.ts'
import { github } from './github.ts'
import { hmac } from './hmac.ts'

/** Every Git host whose webhooks are understood. */
export const GIT_HOSTS: readonly GitHost[] = [github, hmac]

export function gitHostNamed(name: string): GitHost | undefined {
  return GIT_HOSTS.find(host => host.name === name)
}

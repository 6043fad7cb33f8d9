/** Servers that take SSH under a name of their own. */
const SSH_NAMES = /^(?:ssh\.(?=github\.com$)|altssh\.(?=gitlab\.com$|bitbucket\.org$))/

/** The server of a repository's address, as its API is reached: with an unusual port of HTTPS, without the one of SSH. */
export function serverOf(repository: string): string {
  if (repository.startsWith('https:')) {
    return new URL(repository).host
  }
  const [, host = ''] = /^(?:ssh:\/\/)?[^@/]*@(\[[^\]]*\]|[^/:]+)/.exec(repository) ?? []
  return host.replace(SSH_NAMES, '')
}

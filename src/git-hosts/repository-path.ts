import { trimEnd } from '#lib/trim-end.ts'

/**
 * Whether the address of a registered repository is that of `remotePath` (owner and name) at its host. The address may
 * have more in front: /scm/ of Bitbucket Data Center, or the path under which a server is reached.
 */
export function isAddressOf(url: string, remotePath: string): boolean {
  const registered = `/${normal(pathOf(url))}`
  const wanted = normal(remotePath)
  return wanted !== '' && registered.endsWith(`/${wanted}`)
}

/** Of a repository's address, on its server. */
export function pathOf(url: string): string {
  return decoded(/^(?:[a-z]+:\/\/[^/]*|[^/:]*:)\/?(.*)$/.exec(url)?.[1] ?? '')
}

/** Git hosts do not tell upper from lower case in names. */
function normal(path: string): string {
  return trimEnd(path.replace(/^\/+/, ''), '/')
    .replace(/\.git$/i, '')
    .toLowerCase()
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

/** Servers that take SSH under a name of their own. */
const SSH_NAMES = /^(?:ssh\.(?=github\.com$)|altssh\.(?=gitlab\.com$|bitbucket\.org$))/

/** The server of a repository's address, as its API is reached: with an unusual port of HTTPS, without the one of SSH. */
export function serverOf(url: string): string {
  if (url.startsWith('https:')) {
    return URL.parse(url)?.host ?? ''
  }
  const [, host = ''] = /^(?:[a-z]+:\/\/)?(?:[^@/]*@)?(\[[^\]]*\]|[^/:]*)/.exec(url) ?? []
  return host.replace(SSH_NAMES, '')
}

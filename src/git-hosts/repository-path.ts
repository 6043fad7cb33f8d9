/**
 * Whether the address of a registered repository is that of `remotePath` (owner and name) at its host. The address may
 * have more in front: /scm/ of Bitbucket Data Center, or the path under which a server is reached.
 */
export function isAddressOf(url: string, remotePath: string): boolean {
  const path = /^(?:[a-z]+:\/\/[^/]*|[^/:]*:)\/?(.*)$/.exec(url)?.[1] ?? ''
  const registered = `/${normal(decoded(path))}`
  const wanted = normal(remotePath)
  return wanted !== '' && registered.endsWith(`/${wanted}`)
}

/** Git hosts do not tell upper from lower case in names. */
function normal(path: string): string {
  return path
    .replace(/^\/+|\/+$/g, '')
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

/** The name of the server in the address of a repository, without its port. */
export function serverOf(url: string): string {
  return /^(?:[a-z]+:\/\/)?(?:[^@/]*@)?(\[[^\]]*\]|[^/:]*)/.exec(url)?.[1] ?? ''
}

import type { LookupCall, LookupResult, TemporaryFile } from '#exec/call.ts'
import type { Secret } from '#lib/secret.ts'
import type { GitSubject } from './git-call.ts'
import { authorityOf, hostKeyName, type RepositoryUrl } from './git-url.ts'

/** One remote repository and how it may be reached. */
export interface GitRemote {
  readonly url: RepositoryUrl
  /** What the host name resolved to, already checked: git connects to these and asks no resolver again. Empty for a literal address. */
  readonly addresses: readonly string[]
  readonly credential?: GitCredential
  /** PEM of the only authority that is trusted for this server; default: those of the system. */
  readonly ca?: string
}

export type GitCredential =
  | { readonly kind: 'https'; readonly username: string; readonly password: Secret }
  | { readonly kind: 'ssh'; readonly privateKey: Secret; readonly knownHosts: string }

interface Access {
  readonly config: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly files: readonly TemporaryFile[]
}

/** Asks the host's resolver for the addresses of a name. */
export function lookUp(host: string): LookupCall<LookupResult> {
  return { kind: 'lookup', host, timeoutMs: 10_000, read: found => found }
}

/** Settings, environment and temporary files with which git reaches a remote; no secret is in the first two. */
export function accessTo(remote: GitRemote): Access {
  return remote.url.protocol === 'https' ? accessOverHttps(remote) : accessOverSsh(remote)
}

/** What the messages of failures need to know of a remote. */
export function subjectOf(remote: GitRemote): Omit<GitSubject, 'operation'> {
  const { credential, url } = remote
  return {
    url: url.text,
    host: hostKeyName(url),
    credential: credential ? 'given' : 'none',
    ...(credential?.kind === 'ssh' ? { knownHosts: credential.knownHosts } : {}),
  }
}

function accessOverHttps({ url, addresses, credential, ca }: GitRemote): Access {
  const config: string[] = []
  const files: TemporaryFile[] = []
  if (addresses.length > 0) {
    const pinned = addresses.map(address => (address.includes(':') ? `[${address}]` : address)).join(',')
    config.push(`http.curloptResolve=${url.host}:${url.port}:${pinned}`)
  }
  if (ca !== undefined) {
    config.push('http.sslCAInfo={file:ca.pem}')
    files.push({ name: 'ca.pem', content: ca })
  }
  if (credential?.kind !== 'https') {
    return { config, env: {}, files }
  }
  files.push(
    { name: 'askpass', content: askpass(authorityOf(url)), executable: true },
    { name: 'username', content: credential.username },
    { name: 'password', content: credential.password },
  )
  // From git 2.46 on this saves the request that is answered with 401; an older one does not know the setting.
  config.push('http.proactiveAuth=basic')
  return {
    config,
    env: {
      GIT_ASKPASS: '{file:askpass}',
      FAIRLEAD_GIT_USERNAME: '{file:username}',
      FAIRLEAD_GIT_PASSWORD: '{file:password}',
    },
    files,
  }
}

/**
 * Answers git's questions for the expected server only, so that no other one can be given the password. Files and
 * built-in commands keep it out of every argument list and environment. The authority is [a-z0-9._:[]-] by its parser.
 */
function askpass(authority: string): string {
  return `#!/bin/sh
case "$1" in
"Username for 'https://${plainAuthority(authority)}': ") file=$FAIRLEAD_GIT_USERNAME ;;
"Password for 'https://"*"@${plainAuthority(authority)}': ") file=$FAIRLEAD_GIT_PASSWORD ;;
*) exit 1 ;;
esac
IFS= read -r answer < "$file" || [ -n "$answer" ] || exit 1
printf '%s\\n' "$answer"
`
}

/** The script quotes it, so that none of these characters means anything to the shell. */
function plainAuthority(authority: string): string {
  if (!/^[a-z0-9._:[\]-]+$/.test(authority)) {
    throw new TypeError('An authority from parseRepositoryUrl has no other characters.')
  }
  return authority
}

/** Only pinned keys, no agent, no configuration of the host, no forwarding, no command of anybody else. */
function accessOverSsh({ url, addresses, credential }: GitRemote): Access {
  if (credential?.kind !== 'ssh') {
    return { config: [], env: {}, files: [] }
  }
  const address = addresses.find(each => !each.includes(':')) ?? addresses[0]
  const options = [
    'BatchMode=yes',
    'IdentitiesOnly=yes',
    'IdentityFile={file:key}',
    'IdentityAgent=none',
    'UserKnownHostsFile={file:known_hosts}',
    'GlobalKnownHostsFile=/dev/null',
    'StrictHostKeyChecking=yes',
    'UpdateHostKeys=no',
    'HostKeyAlgorithms=ssh-ed25519,ecdsa-sha2-nistp256,rsa-sha2-512',
    'ForwardAgent=no',
    'ClearAllForwardings=yes',
    'PermitLocalCommand=no',
    'ProxyCommand=none',
    'ControlPath=none',
    'ConnectTimeout=10',
    'ServerAliveInterval=15',
    'ServerAliveCountMax=3',
    ...(address === undefined ? [] : [`Hostname=${address}`, `HostKeyAlias='${hostKeyName(url)}'`]),
  ]
  return {
    config: [],
    env: {
      // git hands this line to a shell: it is made of fixed words, an IP address and a host name, nothing else.
      GIT_SSH_COMMAND: `ssh -F /dev/null ${options.map(option => `-o ${option}`).join(' ')}`,
      GIT_SSH_VARIANT: 'ssh',
    },
    files: [
      { name: 'key', content: credential.privateKey },
      { name: 'known_hosts', content: `${credential.knownHosts.trimEnd()}\n` },
    ],
  }
}

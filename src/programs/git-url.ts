import { isIP } from 'node:net'
import { addressesOfLocalName, isPrivateAddress } from '#lib/private-address.ts'
import { CREDENTIALS_IN_URL, PRIVATE_ADDRESS, REPOSITORY_URL_REFUSED } from './git-errors.ts'

/** The address of a remote repository, taken apart and written anew: only `text` is ever given to git. */
export interface RepositoryUrl {
  readonly protocol: 'https' | 'ssh'
  /** Lower case, punycode, without brackets or a final dot. */
  readonly host: string
  readonly port: number
  /** The login name of an SSH address. */
  readonly user?: string
  readonly path: string
  readonly text: string
}

export interface UrlRules {
  /** Private ranges (CIDR) that may be reached all the same. */
  readonly allowPrivate?: readonly string[]
  /** The only hosts that may be named; default: any. */
  readonly hosts?: readonly string[]
}

const MOST_BYTES = 2048
const DEFAULT_PORT = { https: 443, ssh: 22 } as const
/** Names that are imitated: `github.com.example.org` is never meant honestly. */
const IMITATED = ['github.com', 'gitlab.com', 'bitbucket.org', 'codeberg.org', 'dev.azure.com']

/**
 * Parses what a person or a webhook calls a repository. Parsers differ about odd addresses, so whatever is odd is
 * refused and the rest re-serialised. A name that resolves to a private address is found by the worker, not here.
 */
export function parseRepositoryUrl(given: string, rules: UrlRules = {}): RepositoryUrl {
  refuseOddText(given)
  const url = given.includes('://') ? readUrl(given) : readScpForm(given)
  refuseHost(url.host, rules)
  return url
}

/** host, or [host]:port when the port is not the usual one: the name under which known_hosts lists it. */
export function hostKeyName(url: RepositoryUrl): string {
  return url.port === DEFAULT_PORT.ssh ? url.host : `[${url.host}]:${url.port}`
}

/** host or host:port as it stands in an https address; IPv6 addresses in brackets. */
export function authorityOf(url: RepositoryUrl): string {
  return url.port === DEFAULT_PORT[url.protocol] ? bracketed(url.host) : `${bracketed(url.host)}:${url.port}`
}

function refuseOddText(text: string): void {
  if (Buffer.byteLength(text) > MOST_BYTES) {
    throw REPOSITORY_URL_REFUSED(`it is longer than ${MOST_BYTES} bytes`)
  }
  if (/[\p{Cc}\p{Cf}\p{Z}]/u.test(text)) {
    throw REPOSITORY_URL_REFUSED('it contains a space, a line break or a control character')
  }
  if (text.includes('\\')) {
    throw REPOSITORY_URL_REFUSED('it contains a backslash')
  }
  if (/^[A-Za-z0-9+.-]*::/.test(text)) {
    throw REPOSITORY_URL_REFUSED('transports written with "::" start programs and are not allowed')
  }
  if (/[?#]/.test(text)) {
    throw REPOSITORY_URL_REFUSED('it has parameters ("?") or a fragment ("#")')
  }
}

function readUrl(text: string): RepositoryUrl {
  const [, scheme = '', authority = '', path = ''] = /^([^:/]*):\/\/([^/]*)(.*)$/.exec(text) ?? []
  const protocol = protocolOf(scheme)
  const at = authority.lastIndexOf('@')
  const login = authority.slice(0, Math.max(at, 0))
  if (protocol === 'https' && at >= 0) {
    throw CREDENTIALS_IN_URL()
  }
  if (protocol === 'ssh' && login.includes(':')) {
    throw CREDENTIALS_IN_URL()
  }
  const place = readHostAndPort(authority.slice(at + 1), protocol)
  const checked = { protocol, ...place, path: checkedPath(path) } as const
  if (protocol === 'https') {
    return { ...checked, text: `https://${authorityOf({ ...checked, text })}${checked.path}` }
  }
  const user = checkedUser(login, place.host)
  return { ...checked, user, text: `ssh://${user}@${authorityOf({ ...checked, text })}${checked.path}` }
}

function protocolOf(scheme: string): 'https' | 'ssh' {
  const name = scheme.toLowerCase()
  if (name === 'https' || name === 'ssh') {
    return name
  }
  const why = name === 'http' || name === 'git' ? ', because nobody protects what travels over it' : ''
  throw REPOSITORY_URL_REFUSED(`"${name.slice(0, 20)}://" is not accepted${why}; use https:// or ssh://git@`)
}

/** `git@host:owner/name`. A path that starts at the login's home folder has no ssh:// form, so this one is kept. */
function readScpForm(text: string): RepositoryUrl {
  const match = /^([^@/:]*)@(\[[^\]]*\]|[^@/:]*):(.*)$/.exec(text)
  if (!match) {
    throw REPOSITORY_URL_REFUSED(
      text.includes('@') || !/^[\w.-]+:/.test(text)
        ? 'it is not the address of a repository on a server'
        : 'it names no user; write git@host:owner/name',
    )
  }
  const [, login = '', authority = '', rawPath = ''] = match
  const { host } = readHostAndPort(authority, 'ssh')
  const user = checkedUser(login, host)
  if (rawPath.includes('%')) {
    throw REPOSITORY_URL_REFUSED('the path contains a percent sign')
  }
  const path = checkedPath(rawPath.startsWith('/') ? rawPath : `/${rawPath}`)
  const text2 = rawPath.startsWith('/')
    ? `ssh://${user}@${bracketed(host)}${path}`
    : `${user}@${bracketed(host)}:${path.slice(1)}`
  return { protocol: 'ssh', host, port: DEFAULT_PORT.ssh, user, path, text: text2 }
}

function checkedUser(login: string, host: string): string {
  if (login === '') {
    throw REPOSITORY_URL_REFUSED(`it names no user; write ssh://git@${host}/owner/name`)
  }
  if (!/^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/.test(login)) {
    throw REPOSITORY_URL_REFUSED('the user name is not a plain name such as "git"')
  }
  return login
}

function readHostAndPort(authority: string, protocol: 'https' | 'ssh'): { host: string; port: number } {
  const match = /^(\[[0-9A-Fa-f:.]+\]|[^:[\]]+)(?::(\d{1,5}))?$/.exec(authority)
  const port = Number(match?.[2] ?? DEFAULT_PORT[protocol])
  if (!match?.[1] || port < 1 || port > 65_535) {
    throw REPOSITORY_URL_REFUSED('host or port cannot be read')
  }
  return { host: normalHost(match[1]), port }
}

/** Lower case, punycode and plain addresses: 0x7f.1, 2130706433 and ①②⑦.0.0.1 all become 127.0.0.1. */
function normalHost(raw: string): string {
  if (raw.includes('%') || !URL.canParse(`https://${raw}/`)) {
    throw REPOSITORY_URL_REFUSED('the host is not a host name')
  }
  const host = new URL(`https://${raw}/`).hostname.replace(/\.$/, '').replace(/^\[(.*)\]$/, '$1')
  const labels = host.split('.')
  const isName = host.length <= 253 && labels.every(label => /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/.test(label))
  if (isIP(host) === 0 && !isName) {
    throw REPOSITORY_URL_REFUSED('the host is not a host name')
  }
  return host
}

function checkedPath(path: string): string {
  const trimmed = path.replace(/\/+$/, '')
  if (!/^(\/[A-Za-z0-9._~+@,=:%-]+)+$/.test(trimmed)) {
    throw REPOSITORY_URL_REFUSED(
      trimmed === ''
        ? 'it names a server but no repository'
        : 'the path has an empty part or an unusual character',
    )
  }
  for (const segment of trimmed.slice(1).split('/')) {
    const plain = decoded(segment)
    if (/^\.\.?$|^-|[\p{Cc}/\\]/u.test(plain)) {
      throw REPOSITORY_URL_REFUSED(
        'the path contains "..", a part that starts with "-", or an encoded control character',
      )
    }
  }
  return trimmed
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw REPOSITORY_URL_REFUSED('the path contains a percent sign that encodes nothing')
  }
}

function refuseHost(host: string, rules: UrlRules): void {
  const imitated = IMITATED.find(name => host.startsWith(`${name}.`))
  if (imitated) {
    throw REPOSITORY_URL_REFUSED(`its host only looks like ${imitated}, it is ${host}`)
  }
  if (rules.hosts && !rules.hosts.includes(host)) {
    throw REPOSITORY_URL_REFUSED(`the host ${host} is not one of the allowed hosts`)
  }
  const addresses = isIP(host) === 0 ? addressesOfLocalName(host) : [host]
  if (addresses?.every(address => isPrivateAddress(address, rules.allowPrivate))) {
    throw PRIVATE_ADDRESS(host)
  }
}

function bracketed(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host
}

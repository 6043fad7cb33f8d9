import { isIP } from 'node:net'
import { type Static, Type } from 'typebox'
import type { Call } from '#exec/call.ts'
import { FairleadError } from '#lib/errors.ts'
import { Secret } from '#lib/secret.ts'
import { lsRemote, lsRemoteHead, type RemoteTip } from '#programs/git.ts'
import type { GitCredential, GitRemote } from '#programs/git-access.ts'
import { REPOSITORY_TOO_LARGE, REPOSITORY_UNREACHABLE } from '#programs/git-errors.ts'
import { askRefs } from '#programs/git-refs.ts'
import { parseRepositoryUrl, type RepositoryUrl } from '#programs/git-url.ts'
import { checkedAddresses } from './checked-addresses.ts'
import type { Hands } from './command.ts'
import { CREDENTIAL_DOES_NOT_FIT } from './repository-errors.ts'

const strict = { additionalProperties: false } as const

const Credential = Type.Union([
  Type.Object(
    {
      kind: Type.Literal('https'),
      username: Type.String({ pattern: '^[A-Za-z0-9._@+-]{1,128}$' }),
      password: Type.String({ secret: true, minLength: 1, maxLength: 8192, pattern: '^[^\\r\\n\\u0000]*$' }),
    },
    strict,
  ),
  Type.Object(
    {
      kind: Type.Literal('ssh'),
      privateKey: Type.String({ secret: true, minLength: 1, maxLength: 65_536 }),
      /** Lines of a known_hosts file with the server's keys; only these are accepted. */
      knownHosts: Type.String({ minLength: 1, maxLength: 65_536 }),
    },
    strict,
  ),
])

/** What names a remote repository and opens it. */
export const RemoteFields = {
  url: Type.String({ minLength: 1, maxLength: 2048 }),
  credential: Type.Optional(Credential),
  /** PEM of the authority that signed the certificate of a Git server of one's own. */
  ca: Type.Optional(Type.String({ minLength: 1, maxLength: 65_536 })),
}
const Remote = Type.Object(RemoteFields, strict)
export type RemoteData = Static<typeof Remote>

/** A remote whose address and credential were checked, but whose name was not resolved yet. */
export interface NamedRemote extends Omit<GitRemote, 'addresses'> {}

/** Checks what can be checked without asking anybody. */
export function nameRemote(hands: Hands, data: RemoteData): NamedRemote {
  const url = parseRepositoryUrl(data.url, { allowPrivate: hands.host.policy.allowPrivate })
  const credential = credentialFor(url, data.credential)
  return { url, ...(credential ? { credential } : {}), ...(data.ca === undefined ? {} : { ca: data.ca }) }
}

/**
 * Resolves the name of a remote, once: git connects to the addresses that were checked here, so a name cannot be
 * public for the check and private for the connection.
 */
export async function openRemote(hands: Hands, remote: NamedRemote): Promise<GitRemote> {
  const { host, text } = remote.url
  const unreachable = (problem: string) => REPOSITORY_UNREACHABLE(text, problem)
  // A literal address was checked when it was parsed.
  return { ...remote, addresses: isIP(host) === 0 ? await checkedAddresses(hands, host, unreachable) : [] }
}

/** Performs a call to a remote, with the failures of the call itself told as failures of the remote. */
export async function performRemotely<T>(hands: Hands, remote: GitRemote, call: Call<T>): Promise<T> {
  try {
    return await hands.perform(call)
  } catch (error) {
    if (isCalled(error, 'CALL_TIMED_OUT')) {
      throw REPOSITORY_UNREACHABLE(remote.url.text, 'it does not answer in time').with({ cause: error })
    }
    if (isCalled(error, 'OUTPUT_TOO_LARGE') || isCalled(error, 'ANSWER_TOO_LARGE')) {
      throw REPOSITORY_TOO_LARGE('the server sends more than was asked for').with({ cause: error })
    }
    throw error
  }
}

/** The tip of a branch (default: the default branch): with one request where the server understands it, otherwise with git. */
export async function askTip(
  hands: Hands,
  remote: GitRemote,
  branch: string | undefined,
): Promise<RemoteTip> {
  const tip = remote.url.protocol === 'https' ? await askQuickly(hands, remote, branch) : undefined
  const call = branch === undefined ? lsRemoteHead(remote) : lsRemote(remote, branch)
  return tip ?? (await performRemotely(hands, remote, call))
}

/** Whatever stands in the way is left to git to find again and to name; only waiting twice would help nobody. */
async function askQuickly(
  hands: Hands,
  remote: GitRemote,
  branch: string | undefined,
): Promise<RemoteTip | undefined> {
  try {
    return await performRemotely(hands, remote, askRefs(remote, branch))
  } catch (error) {
    if (error instanceof FairleadError && error.code.startsWith('ENGINE_')) {
      return undefined
    }
    throw error
  }
}

/** exec's errors reach commands through perform only, so they are known by their code. */
export function isCalled(
  error: unknown,
  code: 'CALL_TIMED_OUT' | 'OUTPUT_TOO_LARGE' | 'ANSWER_TOO_LARGE',
): boolean {
  return error instanceof FairleadError && error.code === code
}

function credentialFor(
  url: RepositoryUrl,
  given: Static<typeof Credential> | undefined,
): GitCredential | undefined {
  if (!given) {
    if (url.protocol === 'ssh') {
      throw CREDENTIAL_DOES_NOT_FIT(url.text, 'no credential')
    }
    return undefined
  }
  if (given.kind !== url.protocol) {
    throw CREDENTIAL_DOES_NOT_FIT(
      url.text,
      given.kind === 'ssh' ? 'an SSH key' : 'a user name and a password',
    )
  }
  if (given.kind === 'https') {
    return { kind: 'https', username: given.username, password: new Secret(given.password) }
  }
  return { kind: 'ssh', privateKey: new Secret(asKeyFile(given.privateKey)), knownHosts: given.knownHosts }
}

/** ssh reads neither Windows line ends nor a key whose last line has no end; both come from copying. */
function asKeyFile(key: string): string {
  return `${key.replaceAll('\r\n', '\n').trim()}\n`
}

import type { EngineAnswer, EngineRequest } from '#exec/call.ts'
import { secondsToWait } from '#lib/retry-after.ts'
import type { RemoteTip } from './git.ts'
import type { GitRemote } from './git-access.ts'
import { BRANCH_NOT_FOUND, REPOSITORY_SERVER_BUSY } from './git-errors.ts'
import { checkedBranch } from './git-names.ts'
import { authorityOf } from './git-url.ts'

const TIMEOUT_MS = 15_000

/**
 * The question of `git ls-remote` as one request in protocol version 2: a poll without a process costs a tenth. Gives
 * undefined for every answer but the expected one; then lsRemote finds out what is the matter. A server that has too much
 * to do says so, and when to come back.
 */
export function askRefs(remote: GitRemote, branch: string | undefined): EngineRequest<RemoteTip | undefined> {
  const { url, addresses, credential, ca } = remote
  const [address = url.host] = addresses
  const ref = branch === undefined ? 'HEAD' : `refs/heads/${checkedBranch(branch)}`
  return {
    kind: 'request',
    engine: {
      kind: 'http',
      // Connects to the checked address; the host header below is also the name that the certificate must have.
      origin: `https://${address.includes(':') ? `[${address}]` : address}:${url.port}`,
      ...(ca === undefined ? {} : { ca }),
      ...(credential?.kind === 'https'
        ? { username: credential.username, password: credential.password }
        : {}),
    },
    method: 'POST',
    path: `${url.path}/git-upload-pack`,
    headers: {
      host: authorityOf(url),
      accept: 'application/x-git-upload-pack-result',
      'content-type': 'application/x-git-upload-pack-request',
      'git-protocol': 'version=2',
      // Some servers treat a request as Git's by this.
      'user-agent': 'git/2 (fairlead)',
    },
    body: question(ref),
    timeoutMs: TIMEOUT_MS,
    ok: 'any',
    looksOnly: true,
    read: answer => {
      refuseBusy(answer, url.text)
      const lines = linesOf(answer)
      return lines && tipIn(lines, { ref, branch, url: url.text })
    },
  }
}

/** Asking again with git would only be one request more. */
function refuseBusy({ status, headers }: EngineAnswer, url: string): void {
  const seconds = secondsToWait(headers)
  if (status === 429 || status === 503 || (status === 403 && seconds !== undefined)) {
    const busy = REPOSITORY_SERVER_BUSY(url, status)
    throw seconds === undefined ? busy : busy.after(seconds)
  }
}

function question(ref: string): string {
  const wanted = [packet('symrefs\n'), packet(`ref-prefix ${ref}\n`)]
  return [packet('command=ls-refs\n'), packet('object-format=sha1\n'), '0001', ...wanted, '0000'].join('')
}

/** A line of Git's wire format: its length with these four digits in front. */
function packet(text: string): string {
  return (Buffer.byteLength(text) + 4).toString(16).padStart(4, '0') + text
}

/** The lines of a complete answer; undefined when it is none. */
function linesOf({ status, headers, text }: EngineAnswer): string[] | undefined {
  if (status !== 200 || headers['content-type'] !== 'application/x-git-upload-pack-result') {
    return undefined
  }
  const bytes = Buffer.from(text)
  const lines: string[] = []
  let at = 0
  while (at < bytes.length) {
    const digits = bytes.toString('latin1', at, at + 4)
    if (digits === '0000') {
      return lines
    }
    const length = /^[0-9a-f]{4}$/.test(digits) ? Number.parseInt(digits, 16) : 0
    if (length <= 4 || at + length > bytes.length) {
      return undefined
    }
    lines.push(bytes.toString('utf8', at + 4, at + length).trimEnd())
    at += length
  }
  return undefined
}

/** `<id> <ref> symref-target:<ref>`; a prefix also matches longer names. */
function tipIn(
  lines: readonly string[],
  wanted: { readonly ref: string; readonly branch: string | undefined; readonly url: string },
): RemoteTip | undefined {
  if (lines.some(line => !/^[0-9a-f]{40,64} \S/.test(line))) {
    return undefined
  }
  const [commit, , ...attributes] =
    lines.map(line => line.split(' ')).find(([, ref]) => ref === wanted.ref) ?? []
  if (commit === undefined) {
    throw BRANCH_NOT_FOUND(wanted.branch ?? wanted.ref, wanted.url)
  }
  if (wanted.branch !== undefined) {
    return { commit, branch: wanted.branch }
  }
  const mark = 'symref-target:refs/heads/'
  const target = attributes.find(each => each.startsWith(mark))
  return target === undefined ? undefined : { commit, branch: checkedBranch(target.slice(mark.length)) }
}

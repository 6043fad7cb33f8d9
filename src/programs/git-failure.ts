import { createHash } from 'node:crypto'
import { stripVTControlCharacters } from 'node:util'
import type { ProgramOutput } from '#exec/call.ts'
import type { FairleadError } from '#lib/errors.ts'
import type { GitSubject } from './git-call.ts'
import {
  BRANCH_NOT_FOUND,
  COMMIT_NOT_FOUND,
  GIT_FAILED,
  HELPER_NOT_STARTED,
  HOST_KEY_CHANGED,
  HOST_KEY_UNKNOWN,
  MIRROR_DAMAGED,
  MIRROR_LOCKED,
  OBJECT_NOT_FOUND,
  REPOSITORY_CERTIFICATE_REFUSED,
  REPOSITORY_CREDENTIAL_NEEDED,
  REPOSITORY_CREDENTIAL_REFUSED,
  REPOSITORY_MOVED,
  REPOSITORY_NOT_FOUND,
  REPOSITORY_REFUSED_BY_FSCK,
  REPOSITORY_TOO_LARGE,
  REPOSITORY_UNREACHABLE,
  WORKSPACE_FULL,
} from './git-errors.ts'

type Explanation = readonly [RegExp, (about: About, found: string) => FairleadError]

interface About extends GitSubject {
  readonly url: string
  readonly host: string
  readonly branch: string
  readonly commit: string
  readonly stderr: string
}

/** What git prints in the C locale; the first that is found explains the failure. */
const EXPLANATIONS: readonly Explanation[] = [
  // Of a file of a checkout git does not say why it could not be written; its folder was made the moment before.
  [/No space left on device|Disk quota exceeded|unable to write file /, () => WORKSPACE_FULL()],
  [/cannot (?:run|exec) '?([^'\n]*askpass)'?: Permission denied/, (_, found) => HELPER_NOT_STARTED(found)],
  // Alone: the size limit ended index-pack, which otherwise says what it found.
  [
    /died of signal 25|File too large|^\s*fatal: fetch-pack: invalid index-pack output\s*$/,
    () => REPOSITORY_TOO_LARGE('it sends more than the limit'),
  ],
  [/File name too long/, () => REPOSITORY_TOO_LARGE('a file name is too long for the disk of the worker')],
  [/REMOTE HOST IDENTIFICATION HAS CHANGED/, about => hostKeyChanged(about)],
  [
    /Host key verification failed|No \S+ host key is known|no matching host key type/,
    about => HOST_KEY_UNKNOWN(about.host),
  ],
  [/Unable to create '([^']+\.lock)': File exists/, (_, found) => MIRROR_LOCKED(found)],
  [/error: object [0-9a-f]+: (.+)/, (_, found) => REPOSITORY_REFUSED_BY_FSCK(found)],
  [/(fsck error in packed object.*)/, (_, found) => REPOSITORY_REFUSED_BY_FSCK(found)],
  [/invalid path ('.+')/, (_, found) => REPOSITORY_REFUSED_BY_FSCK(`the path ${found}`)],
  [/couldn't find remote ref/, about => BRANCH_NOT_FOUND(about.branch, about.url)],
  [/not our ref|unadvertised object/, about => COMMIT_NOT_FOUND(about.commit, about.url)],
  [/returned error: 30\d|unable to update url base from redirection/, about => REPOSITORY_MOVED(about.url)],
  [
    /(SSL certificate problem: .*|server certificate verification failed|SSL: no alternative certificate.*|certificate subject name.*)/,
    (about, found) => REPOSITORY_CERTIFICATE_REFUSED(about.url, found),
  ],
  [/error in libcrypto|invalid format/, about => REPOSITORY_CREDENTIAL_REFUSED(about.url)],
  [/Could not resolve host/i, about => REPOSITORY_UNREACHABLE(about.url, 'its name does not resolve')],
  [
    /Connection refused|Failed to connect|Could not connect/i,
    about => REPOSITORY_UNREACHABLE(about.url, 'it refuses connections'),
  ],
  [
    /timed out|too slow|Timeout, server/i,
    about => REPOSITORY_UNREACHABLE(about.url, 'it does not answer in time'),
  ],
  [/unreachable|No route to host/i, about => REPOSITORY_UNREACHABLE(about.url, 'there is no route to it')],
  [
    /returned error: (5\d\d|429)/,
    (about, found) => REPOSITORY_UNREACHABLE(about.url, `it answers with ${found}`),
  ],
]

/** The same for what only the server can say, over SSH or after "remote: ". */
const SERVER_EXPLANATIONS: readonly Explanation[] = [
  [
    /Authentication failed|returned error: 40[13]|could not read (?:Username|Password)/,
    about => credentialRefused(about),
  ],
  [/Permission denied \(|Access denied|invalid credentials/i, about => credentialRefused(about)],
  [
    /returned error: (?:404|410)|repository '[^']*' not found|does not appear to be a git repository/,
    about => REPOSITORY_NOT_FOUND(about.url),
  ],
  [
    /Repository not found|no repository has this name|project you were looking for could not be found|is this a git repository\?/i,
    about => REPOSITORY_NOT_FOUND(about.url),
  ],
]

/** Tried last: these texts also follow some of the failures above. */
const LAST_EXPLANATIONS: readonly Explanation[] = [
  [
    /(object (?:file )?\S+ is (?:empty|corrupt)|\(stored in .+\) is corrupt|is far too short to be a packfile|packfile .+ cannot be accessed|data stream error|unable to read (?:tree|sha1 file)|missing (?:tree|blob)|invalid sha1 pointer|bad shallow line|index file .+ is too small|did not send all necessary objects)/,
    (_, found) => MIRROR_DAMAGED(found),
  ],
  [
    /hung up|unexpected disconnect|early EOF|RPC failed|Empty reply|Connection (?:reset|closed)|TLS connect|SSL_ERROR|gnutls/i,
    about => REPOSITORY_UNREACHABLE(about.url, 'the connection broke off'),
  ],
  [
    /expected flush|bad line length|protocol error|invalid index-pack output|unexpected end of|pack has bad object|fetch-pack: /i,
    about => REPOSITORY_UNREACHABLE(about.url, 'the answer was not that of a Git server'),
  ],
  [
    /[Nn]ot a valid object name|not a tree object|not a git repository|unknown revision|bad revision|bad object/,
    about => OBJECT_NOT_FOUND(about.commit),
  ],
]

/** The error that explains what git printed, with the next step for the person; GIT_FAILED when nothing is recognised. */
export function gitFailure(output: ProgramOutput, subject: GitSubject): FairleadError {
  const { url = 'the repository', host = 'the server', branch = '', commit = 'the commit' } = subject
  const about = { ...subject, url, host, branch, commit, stderr: output.stderr }
  // What a server writes comes as "remote: …"; it must not pass for a message of our own git.
  const own = output.stderr.replace(/^remote:.*$/gm, '')
  const error =
    explanation(EXPLANATIONS, own, about) ??
    explanation(SERVER_EXPLANATIONS, output.stderr, about) ??
    explanation(LAST_EXPLANATIONS, own, about) ??
    GIT_FAILED(about.operation, output.exitCode, tailOf(output.stderr))
  return error.with({ facts: { exitCode: output.exitCode, stderr: tailOf(output.stderr) } })
}

function explanation(table: readonly Explanation[], text: string, about: About): FairleadError | undefined {
  for (const [pattern, explain] of table) {
    const match = pattern.exec(text)
    if (match) {
      return explain(about, shown(match[1] ?? match[0]))
    }
  }
  return undefined
}

/** SHA256 fingerprint of one line of known_hosts, as ssh prints it. */
export function fingerprintOf(line: string): string {
  const key = line.split(/\s+/).find(word => word.startsWith('AAAA')) ?? ''
  return `SHA256:${createHash('sha256').update(Buffer.from(key, 'base64')).digest('base64').replace(/=+$/, '')}`
}

function credentialRefused(about: About): FairleadError {
  return about.credential === 'given'
    ? REPOSITORY_CREDENTIAL_REFUSED(about.url)
    : REPOSITORY_CREDENTIAL_NEEDED(about.url)
}

/** ssh prints type and fingerprint of the offered key, and the line of one pinned key of the host, of whichever type. */
function hostKeyChanged(about: About): FairleadError {
  const [, type = '', offered = 'unknown'] = OFFERED_KEY.exec(about.stderr) ?? []
  const lines = (about.knownHosts ?? '').split('\n')
  const offending = lines[Number(/Offending \S+ key in [^\n]*:(\d+)/.exec(about.stderr)?.[1] ?? 0) - 1]
  const [host] = offending?.split(' ') ?? []
  const sameType = lines.find(line => isKeyOf(line, host, type))
  const pinned = sameType ?? offending
  return HOST_KEY_CHANGED(about.host, pinned ? fingerprintOf(pinned) : 'unknown', offered)
}

function isKeyOf(line: string, host: string | undefined, type: string): boolean {
  const [name, algorithm] = line.split(' ')
  return name === host && algorithm?.includes(type.toLowerCase()) === true
}

const OFFERED_KEY = /for the (\S+) key sent by the remote host is\s+(SHA256:[A-Za-z0-9+/]{43})/

function tailOf(stderr: string): string {
  return shown(stderr.split('\n').slice(-12).join('\n'), 2000)
}

/** Servers and repositories write into git's messages, so nothing in them may steer a terminal. */
function shown(text: string, most = 300): string {
  const plain = stripVTControlCharacters(text).replace(/[^\P{C}\n]/gu, '')
  return plain.length > most ? `…${plain.slice(-most)}` : plain.trim()
}

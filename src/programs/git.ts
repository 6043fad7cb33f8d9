import { AS_LONG_AS_COMMAND_MS, type ProgramCall } from '#exec/call.ts'
import { accessTo, type GitRemote, subjectOf } from './git-access.ts'
import { gitCall } from './git-call.ts'
import { BRANCH_NOT_FOUND } from './git-errors.ts'
import { checkedBranch } from './git-names.ts'

export interface RemoteTip {
  readonly commit: string
  readonly branch: string
}

interface Fetch {
  /** Absolute path of the bare mirror. */
  readonly mirror: string
  readonly remote: GitRemote
  /** Our own name for what is fetched, below refs/deploy/. */
  readonly ref: string
  /** Findings of fsck that old honest repositories have and that harm nobody. */
  readonly tolerate?: readonly ToleratedFinding[]
  /** Bytes that one fetch may bring. */
  readonly maxBytes: number
}

export const TOLERATED_FINDINGS = ['zeroPaddedFilemode', 'missingSpaceBeforeDate', 'badTimezone'] as const
export type ToleratedFinding = (typeof TOLERATED_FINDINGS)[number]

const SECOND = 1000
const LS_REMOTE_MS = 20 * SECOND
const LOCAL_MS = 60 * SECOND
const TIDY_MS = 300 * SECOND
const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/

/** Makes an empty bare repository without anything of the host's template. */
export function initMirror(mirror: string): ProgramCall<void> {
  return gitCall({
    args: ['init', '--quiet', '--bare', '--template=', '--', mirror],
    timeoutMs: LOCAL_MS,
    about: { operation: 'init' },
    read: () => undefined,
  })
}

/** The commit at the tip of one branch, without fetching anything. */
export function lsRemote(remote: GitRemote, branch: string): ProgramCall<RemoteTip> {
  const ref = `refs/heads/${checkedBranch(branch)}`
  return askRemote(remote, { args: ['--', remote.url.text, ref], branch }, stdout => {
    // The pattern also matches longer names that end alike; only the full name counts.
    const line = stdout.split('\n').find(each => each.endsWith(`\t${ref}`))
    return { commit: line?.split('\t')[0], branch }
  })
}

/** The same for the branch that the server calls its default one. */
export function lsRemoteHead(remote: GitRemote): ProgramCall<RemoteTip> {
  return askRemote(remote, { args: ['--symref', '--', remote.url.text, 'HEAD'], branch: 'HEAD' }, stdout => ({
    commit: /^([0-9a-f]+)\tHEAD$/m.exec(stdout)?.[1],
    branch: checkedBranch(/^ref: refs\/heads\/(.+)\tHEAD$/m.exec(stdout)?.[1] ?? ''),
  }))
}

function askRemote(
  remote: GitRemote,
  question: { readonly args: readonly string[]; readonly branch: string },
  find: (stdout: string) => { commit: string | undefined; branch: string },
): ProgramCall<RemoteTip> {
  return gitCall({
    ...accessTo(remote),
    args: ['ls-remote', '--quiet', ...question.args],
    timeoutMs: LS_REMOTE_MS,
    maxOutputBytes: 64 * 1024,
    about: { ...subjectOf(remote), operation: 'ls-remote', branch: question.branch },
    read: ({ stdout }) => {
      const { commit, branch } = stdout === '' ? { branch: '' } : find(stdout)
      if (!commit || !COMMIT.test(commit)) {
        throw BRANCH_NOT_FOUND(question.branch, remote.url.text)
      }
      return { commit, branch }
    },
  })
}

/** Brings the tip of a branch into the mirror as `ref`; of its history only this commit. */
export function fetchBranch(fetch: Fetch, branch: string): ProgramCall<void> {
  return fetchInto(fetch, `refs/heads/${checkedBranch(branch)}`, { branch })
}

/** Brings one commit into the mirror as `ref`. Servers may refuse it with COMMIT_NOT_FOUND unless it is a tip. */
export function fetchCommit(fetch: Fetch, commit: string): ProgramCall<void> {
  return fetchInto(fetch, checkedCommit(commit), { commit })
}

function fetchInto(
  fetch: Fetch,
  source: string,
  wanted: { branch?: string; commit?: string },
): ProgramCall<void> {
  const { mirror, remote, ref, tolerate = [], maxBytes } = fetch
  const access = accessTo(remote)
  return gitCall({
    ...access,
    config: [...access.config, ...tolerate.map(finding => `fetch.fsck.${finding}=warn`)],
    args: [
      `--git-dir=${mirror}`,
      'fetch',
      '--quiet',
      '--no-tags',
      '--no-write-fetch-head',
      '--no-auto-maintenance',
      '--no-recurse-submodules',
      '--depth=1',
      '--',
      remote.url.text,
      `+${source}:${ref}`,
    ],
    timeoutMs: AS_LONG_AS_COMMAND_MS,
    maxFileBytes: maxBytes,
    // Not the addresses: a name may lead to others the next time.
    outlives: `git fetch ${remote.url.text} ${source} ${mirror} ${ref}`,
    about: { ...subjectOf(remote), operation: 'fetch', ...wanted },
    read: () => undefined,
  })
}

/** Writes all files of a commit into an empty folder. Symbolic links become plain files that hold their target. */
export function checkoutInto(
  mirror: string,
  commit: string,
  into: { readonly folder: string; readonly index: string },
): ProgramCall<void> {
  return gitCall({
    args: [
      `--git-dir=${mirror}`,
      `--work-tree=${into.folder}`,
      'read-tree',
      '--reset',
      '-u',
      checkedCommit(commit),
    ],
    // An index of its own: the mirror's would be shared between checkouts.
    env: { GIT_INDEX_FILE: into.index },
    timeoutMs: AS_LONG_AS_COMMAND_MS,
    about: { operation: 'read-tree', commit },
    read: () => undefined,
  })
}

/** Our refs in the mirror with the commits that they keep. */
export function listRefs(mirror: string): ProgramCall<readonly { ref: string; commit: string }[]> {
  return gitCall({
    args: [`--git-dir=${mirror}`, 'for-each-ref', '--format=%(objectname) %(refname)', 'refs/deploy/'],
    timeoutMs: LOCAL_MS,
    about: { operation: 'for-each-ref' },
    read: ({ stdout }) =>
      stdout
        .split('\n')
        .filter(line => line !== '')
        .map(line => ({ commit: line.slice(0, line.indexOf(' ')), ref: line.slice(line.indexOf(' ') + 1) })),
  })
}

/** Forgets refs of ours; their commits stay until tidyMirror finds that nothing else keeps them. */
export function deleteRefs(mirror: string, refs: readonly string[]): ProgramCall<void> {
  return gitCall({
    args: [`--git-dir=${mirror}`, 'update-ref', '--stdin'],
    input: refs.map(ref => `delete ${ref}\n`).join(''),
    timeoutMs: LOCAL_MS,
    about: { operation: 'update-ref' },
    read: () => undefined,
  })
}

/** Joins packs and drops what no ref keeps, once there are more than 20 packs. */
export function tidyMirror(mirror: string): ProgramCall<void> {
  return gitCall({
    config: ['gc.auto=6700', 'gc.autoPackLimit=20', 'gc.autoDetach=false', 'gc.pruneExpire=now'],
    args: [`--git-dir=${mirror}`, 'gc', '--auto', '--quiet'],
    timeoutMs: TIDY_MS,
    about: { operation: 'gc' },
    read: () => undefined,
  })
}

export interface GitVersion {
  readonly text: string
  /** What an older git than advised leaves open, in words; undefined when there is nothing to say. */
  readonly warning?: string
}

/**
 * The version of the host's git. An old one is worth a warning and no refusal: Debian 12 ships 2.39.5 with backported
 * fixes, and the hardened invocation closes what is known without them (no clone, no submodules, no symbolic links,
 * no bundle addresses, explicit refspecs, credentials for one host only).
 */
export function gitVersion(): ProgramCall<GitVersion> {
  return gitCall({
    args: ['version'],
    timeoutMs: 5 * SECOND,
    about: { operation: 'version' },
    read: ({ stdout }) => {
      const text = /\d+\.\d+(?:\.\d+)?/.exec(stdout)?.[0] ?? '0.0'
      const warning = warningFor(text)
      return { text, ...(warning === undefined ? {} : { warning }) }
    },
  })
}

/** Before 2.37 a resolved address cannot be pinned, before 2.38 bare repositories inside a tree are not refused. */
function warningFor(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > 2 || (major === 2 && minor >= 39)) {
    return undefined
  }
  return `git ${version} is older than 2.39: it ignores settings that keep it from private addresses. Update it.`
}

function checkedCommit(commit: string): string {
  if (!COMMIT.test(commit)) {
    throw new TypeError('A commit is 40 or 64 hexadecimal digits.')
  }
  return commit
}

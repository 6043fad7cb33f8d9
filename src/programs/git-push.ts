import { stripVTControlCharacters } from 'node:util'
import type { ProgramCall, ProgramOutput } from '#exec/call.ts'
import { accessTo, type GitRemote, subjectOf } from './git-access.ts'
import { gitCall } from './git-call.ts'
import { BRANCH_PROTECTED, PUSH_REFUSED } from './git-errors.ts'
import { checkedBranch, checkedPath } from './git-names.ts'

/** Commits are made of objects alone: there is no work tree in which a repository's own files could do anything. */

const LOCAL_MS = 60_000
const PUSH_MS = 60_000

/** Stands for "no object" in what git reads. */
const NO_OBJECT = '0'.repeat(40)

const BOT: Person = { name: 'Fairlead', email: 'noreply@fairlead.invalid' }

export interface Person {
  readonly name: string
  readonly email: string
}

/** A file of a commit that is to be made. */
export interface FileOfCommit {
  readonly path: string
  /** Of its text, from writeBlob; null takes it out. */
  readonly id: string | null
}

/** Puts a text into the mirror; gives its id. */
export function writeBlob(mirror: string, text: string): ProgramCall<string> {
  return gitCall({
    args: [`--git-dir=${mirror}`, 'hash-object', '-w', '--stdin'],
    input: text,
    timeoutMs: LOCAL_MS,
    about: { operation: 'hash-object' },
    read: readId,
  })
}

/**
 * Begins an index, in a file that is not there yet, with the files of a commit; or adds them to one, below a folder that
 * it does not have.
 */
export function readTree(mirror: string, commit: string, index: string, below?: string): ProgramCall<void> {
  const prefix = below === undefined ? [] : ['-i', `--prefix=${checkedPath(below)}/`]
  return gitCall({
    args: [`--git-dir=${mirror}`, 'read-tree', ...prefix, commit],
    env: { GIT_INDEX_FILE: index },
    timeoutMs: LOCAL_MS,
    about: { operation: 'read-tree', commit },
    read: () => undefined,
  })
}

/** Puts files into an index in the place of what was there, or takes them out of it. */
export function updateIndex(
  mirror: string,
  files: readonly FileOfCommit[],
  index: string,
): ProgramCall<void> {
  const entries = files.map(({ path, id }) =>
    id === null ? `0 ${NO_OBJECT}\t${checkedPath(path)}\0` : `100644 ${id}\t${checkedPath(path)}\0`,
  )
  return gitCall({
    args: [`--git-dir=${mirror}`, 'update-index', '-z', '--add', '--index-info'],
    input: entries.join(''),
    env: { GIT_INDEX_FILE: index },
    timeoutMs: LOCAL_MS,
    about: { operation: 'update-index' },
    read: () => undefined,
  })
}

/** Makes a tree of an index; gives its id. */
export function writeTree(mirror: string, index: string): ProgramCall<string> {
  return gitCall({
    args: [`--git-dir=${mirror}`, 'write-tree'],
    env: { GIT_INDEX_FILE: index },
    timeoutMs: LOCAL_MS,
    about: { operation: 'write-tree' },
    read: readId,
  })
}

interface CommitToBe {
  readonly tree: string
  readonly parents: readonly string[]
  readonly message: string
  /** Default: Fairlead. */
  readonly author?: Person
  /** ms since 1970; default: now. */
  readonly date?: number
}

/** Makes a commit, whoever its author is committed by Fairlead; gives its id. */
export function commitTree(mirror: string, commit: CommitToBe): ProgramCall<string> {
  const { author = BOT } = commit
  const date = `@${Math.floor((commit.date ?? 0) / 1000)} +0000`
  return gitCall({
    args: [
      `--git-dir=${mirror}`,
      'commit-tree',
      commit.tree,
      ...commit.parents.flatMap(parent => ['-p', parent]),
      '-F',
      '-',
    ],
    env: {
      ...(commit.date === undefined ? {} : { GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date }),
      GIT_AUTHOR_NAME: author.name,
      GIT_AUTHOR_EMAIL: author.email,
      GIT_COMMITTER_NAME: BOT.name,
      GIT_COMMITTER_EMAIL: BOT.email,
    },
    input: commit.message,
    timeoutMs: LOCAL_MS,
    about: { operation: 'commit-tree' },
    read: readId,
  })
}

/** Gives a commit of ours a name in the mirror, so that tidying leaves it. */
export function keepCommit(mirror: string, ref: string, commit: string): ProgramCall<void> {
  return gitCall({
    args: [`--git-dir=${mirror}`, 'update-ref', ref, commit],
    timeoutMs: LOCAL_MS,
    about: { operation: 'update-ref' },
    read: () => undefined,
  })
}

/** The first parent of a commit, also where the mirror has no history before it. */
export function parentOf(mirror: string, commit: string): ProgramCall<string | undefined> {
  return gitCall({
    args: [`--git-dir=${mirror}`, 'cat-file', 'commit', commit],
    timeoutMs: LOCAL_MS,
    about: { operation: 'cat-file', commit },
    read: ({ stdout }) => /^parent ([0-9a-f]{40,64})$/m.exec(stdout.split('\n\n')[0] ?? '')?.[1],
  })
}

/** Whether the branch is now at our commit, or had moved away from the one that it was made on. */
export type Pushed = 'pushed' | 'moved' | Refused

/** The server takes no options with a push. */
type Refused = 'no-options'

interface Push {
  readonly mirror: string
  readonly remote: GitRemote
  readonly branch: string
  readonly commit: string
  /** Where the branch must still be; undefined: it must not be there. */
  readonly expected: string | undefined
  /** Told to the server: `ci.skip`. One that takes none takes no push with one. */
  readonly options?: readonly string[]
}

const OPTION = /^[a-z][a-z._]{0,40}(?:=\P{C}{1,250})?$/u

/**
 * Moves a branch to our commit if it is still where that was made on. BRANCH_PROTECTED when the server does not let us,
 * PUSH_REFUSED when the credential may only read.
 */
export function pushCommit(push: Push): ProgramCall<Pushed> {
  const { mirror, remote, branch, commit, expected, options = [] } = push
  if (!options.every(option => OPTION.test(option))) {
    throw new Error('no option of a push')
  }
  const ref = `refs/heads/${checkedBranch(branch)}`
  return gitCall<Pushed>({
    ...accessTo(remote),
    args: [
      `--git-dir=${mirror}`,
      'push',
      '--porcelain',
      '--no-verify',
      `--force-with-lease=${ref}:${expected ?? ''}`,
      ...options.map(option => `--push-option=${option}`),
      '--',
      remote.url.text,
      `${commit}:${ref}`,
    ],
    timeoutMs: PUSH_MS,
    about: { ...subjectOf(remote), operation: 'push', branch },
    read: () => 'pushed',
    readFailure: output => readRefusal(output, branch, remote.url.text),
  })
}

/** What another push at the same moment looks like, to git before it sends and to the server while it takes. */
const MOVED =
  /\[rejected\] \((?:stale info|fetch first|non-fast-forward|needs force)\)|\[remote rejected\] \((?:cannot lock ref|failed to update ref|incorrect old value|fetch first|stale info|non-fast-forward)/
const PROTECTED = /GH006|GH013|protected branch|branch is protected|\[remote rejected\]/i
const READ_ONLY =
  /returned error: 403|marked as read only|read-only|not allowed to (?:push|upload)|write access|permission to \S+ denied/i

function readRefusal({ stdout, stderr }: ProgramOutput, branch: string, url: string): Pushed | undefined {
  if (MOVED.test(stdout)) {
    return 'moved'
  }
  if (/does not support push options/.test(stderr)) {
    return 'no-options'
  }
  const said = `${stdout}\n${stderr}`
  if (PROTECTED.test(said)) {
    throw BRANCH_PROTECTED(branch, url, wordsOf(stdout, stderr))
  }
  if (READ_ONLY.test(said)) {
    throw PUSH_REFUSED(url)
  }
  return undefined
}

/** What the server gives as its reason, inert. */
function wordsOf(stdout: string, stderr: string): string {
  const told = stderr.match(/^remote: .*\S/gm)?.map(line => line.slice('remote: '.length).trim()) ?? []
  const words = told.join(' ') || (/\[remote rejected\] \((.+)\)/.exec(stdout)?.[1] ?? 'it gives no reason')
  return stripVTControlCharacters(words).replace(/\p{C}/gu, '').slice(0, 300)
}

function readId({ stdout }: ProgramOutput): string {
  return stdout.trim()
}

import { join } from 'node:path'
import { newId } from '#lib/id.ts'
import { fetchBranch } from '#programs/git.ts'
import type { GitRemote } from '#programs/git-access.ts'
import { BRANCH_NOT_FOUND } from '#programs/git-errors.ts'
import { checkedBranch } from '#programs/git-names.ts'
import {
  commitTree,
  type FileOfCommit,
  type Person,
  parentOf,
  pushCommit,
  readTree,
  updateIndex,
  writeTree,
} from '#programs/git-push.ts'
import type { Hands } from './command.ts'
import { BRANCH_TOO_BUSY } from './repository-errors.ts'
import { foldersOf, type RepositoryFolders, temporaryName } from './repository-folders.ts'
import { makeFolder, mendMirror, prepareMirror, remove } from './repository-mirror.ts'
import { nameRemote, openRemote, performRemotely, type RemoteData } from './repository-remote.ts'
import { DEFAULT_LIMITS, readSource, type Source } from './repository-source.ts'

export interface RewriteData extends RemoteData {
  readonly repository: string
  readonly branch: string
  /** The branch that it begins from when it is not there; absent: then it is an error. */
  readonly from?: string
}

/** What a branch is to become on top of its tip. */
export interface Rewriting {
  /** Those that differ from the tip; none: nothing is to be pushed. */
  readonly files: readonly FileOfCommit[]
  readonly message: string
  /** Default: Fairlead itself, which commits in any case. */
  readonly author?: Person
  /** For the server, where it takes options with a push. */
  readonly options?: readonly string[]
}

/** The tip of the branch, in the mirror. */
export interface Tip extends Source {
  readonly mirror: string
  /** The branch is not there: this is the tip of the one that it begins from. */
  readonly isNew: boolean
}

export interface Rewritten {
  readonly outcome: 'pushed' | 'unchanged'
  /** Where the branch is now, as far as we know. */
  readonly commit: string
  /** The commit that ours was made on. */
  readonly parent: string | null
  /** That one asked for no deployment. */
  readonly skips: boolean
  /** Options were to go with the push, and the server takes none. */
  readonly plain?: boolean
}

/** Whether the tip is a commit of ours already, from an attempt whose end nobody heard of. */
type IsOurs = (tip: Tip) => boolean

interface Work {
  readonly hands: Hands
  readonly data: RewriteData
  readonly folders: RepositoryFolders
  readonly remote: GitRemote
}

/** Less than the deadline of the commands that do this. */
const TRIED_MS = 90_000
const FIRST_WAIT_MS = 200
const LONGEST_WAIT_MS = 5000
const MOST_FETCHED_BYTES = 2 * 1024 ** 3
const PRIVATE = 0o700

/**
 * Changes files of a branch in one commit without a work tree. Whoever pushes meanwhile wins: `edit` is asked again
 * what to do with what they pushed, for a minute and a half (BRANCH_TOO_BUSY).
 */
export async function rewriteBranch(
  hands: Hands,
  data: RewriteData,
  { isOurs, edit }: { readonly isOurs: IsOurs; readonly edit: (tip: Tip) => Promise<Rewriting> },
): Promise<Rewritten> {
  checkedBranch(data.branch)
  const folders = foldersOf(hands.host.workspace, data.repository)
  const remote = await openRemote(hands, nameRemote(hands, data))
  const work = { hands, data, folders, remote }
  const begun = hands.clock.monotonic()
  for (let tried = 1; ; tried++) {
    const from = hands.clock.monotonic()
    const tip = { ...(await fetchTip(work)), mirror: folders.mirror }
    const written = isOurs(tip) ? await found(work, tip) : await put(work, tip, await edit(tip))
    if (written !== 'moved') {
      return written
    }
    const now = hands.clock.monotonic()
    if (now - begun > TRIED_MS) {
      throw BRANCH_TOO_BUSY(data.branch, remote.url.text, tried)
    }
    hands.say(`${data.branch} moved meanwhile; trying again`, 'info')
    await hands.clock.sleep(waitAfter(tried, now - from), hands.signal)
  }
}

/** Any time up to a longest one, which doubles: at least as long as a try takes, or all who race would meet again. */
function waitAfter(tried: number, tookMs: number): number {
  const longest = Math.min(FIRST_WAIT_MS * 2 ** (tried - 1), LONGEST_WAIT_MS)
  return Math.random() * Math.max(longest, Math.min(tookMs, LONGEST_WAIT_MS))
}

async function found({ hands }: Work, { mirror, facts: { commit } }: Tip): Promise<Rewritten> {
  const parent = (await hands.perform(parentOf(mirror, commit))) ?? null
  return { outcome: 'pushed', commit, parent, skips: false }
}

async function put(work: Work, { facts, isNew }: Tip, rewriting: Rewriting): Promise<Rewritten | 'moved'> {
  const { hands, data, folders, remote } = work
  const { files, message, author, options = [] } = rewriting
  const { commit: parent, skips } = facts
  const tree = files.length === 0 ? facts.tree : await treeWith(work, files, parent)
  if (tree === facts.tree) {
    return { outcome: 'unchanged', commit: parent, parent: null, skips }
  }
  const commit = await hands.perform(
    commitTree(folders.mirror, { tree, parents: [parent], message, ...(author ? { author } : {}) }),
  )
  const push = {
    mirror: folders.mirror,
    remote,
    branch: data.branch,
    commit,
    expected: isNew ? undefined : parent,
  }
  const told = await performRemotely(hands, remote, pushCommit({ ...push, options }))
  const pushed = told === 'no-options' ? await performRemotely(hands, remote, pushCommit(push)) : told
  if (pushed === 'moved') {
    return 'moved'
  }
  hands.say(`${data.branch}: ${commit.slice(0, 12)} ${files.map(({ path }) => path).join(', ')}`, 'info')
  return { outcome: 'pushed', commit, parent, skips, ...(told === 'no-options' ? { plain: true } : {}) }
}

async function fetchTip(work: Work): Promise<Omit<Tip, 'mirror'>> {
  const { branch, from } = work.data
  try {
    return { ...(await fetchBranchTip(work, branch)), isNew: false }
  } catch (error) {
    if (from === undefined || !BRANCH_NOT_FOUND.matches(error)) {
      throw error
    }
    return { ...(await fetchBranchTip(work, from)), isNew: true }
  }
}

async function fetchBranchTip(work: Work, branch: string): Promise<Source> {
  try {
    return await fetchOnce(work, branch)
  } catch (error) {
    if ((await mendMirror(work.hands, work.folders, error)) === 'nothing') {
      throw error
    }
    return await fetchOnce(work, branch)
  }
}

async function fetchOnce({ hands, folders, remote }: Work, branch: string): Promise<Source> {
  await prepareMirror(hands, folders)
  const ref = `refs/deploy/${hands.id}`
  const fetch = { mirror: folders.mirror, remote, ref, maxBytes: MOST_FETCHED_BYTES }
  await performRemotely(hands, remote, fetchBranch(fetch, branch))
  return await readSource(hands, folders.mirror, { revision: ref, limits: DEFAULT_LIMITS })
}

/** In an index of its own: the mirror has none. */
async function treeWith(
  { hands, folders }: Work,
  files: readonly FileOfCommit[],
  commit: string,
): Promise<string> {
  const temporary = join(folders.checkouts, temporaryName(newId()))
  const index = join(temporary, 'index')
  await hands.perform(makeFolder(temporary, PRIVATE))
  try {
    await hands.perform(readTree(folders.mirror, commit, index))
    await hands.perform(updateIndex(folders.mirror, files, index))
    return await hands.perform(writeTree(folders.mirror, index))
  } finally {
    await hands.perform(remove(temporary))
  }
}

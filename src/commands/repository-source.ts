import { fetchBranch, fetchCommit, type ToleratedFinding } from '#programs/git.ts'
import type { GitRemote } from '#programs/git-access.ts'
import { COMMIT_NOT_FOUND, OBJECT_NOT_FOUND, REPOSITORY_TOO_LARGE } from '#programs/git-errors.ts'
import {
  type CommitFacts,
  commitFacts,
  listTree,
  type TreeEntry,
  type TreeLimits,
} from '#programs/git-tree.ts'
import type { Hands } from './command.ts'
import type { RepositoryFolders } from './repository-folders.ts'
import { prepareMirror } from './repository-mirror.ts'
import { askTip, isCalled, performRemotely } from './repository-remote.ts'
import { together } from './together.ts'

/** One commit in the mirror. */
export interface Source {
  readonly facts: CommitFacts
  readonly entries: readonly TreeEntry[]
}

export interface Search {
  readonly hands: Hands
  readonly folders: RepositoryFolders
  readonly branch: string
  /** Exactly this commit, whatever the tip is. */
  readonly commit?: string | undefined
  /** What it is called in the mirror once it is fetched; default: after the command. */
  readonly ref?: string
  /** The commit that is probably still the tip: then nothing is fetched. */
  readonly known?: string | undefined
  readonly limits: TreeLimits
  readonly tolerate: readonly ToleratedFinding[]
  /** Opened only when it is needed: a commit that is here already needs no network. */
  readonly remote: () => Promise<GitRemote>
}

export const DEFAULT_LIMITS: TreeLimits = { files: 100_000, bytes: 4 * 1024 ** 3 }
const MOST_FETCHED_BYTES = 2 * 1024 ** 3

/** The wanted commit, in the mirror: from there when it has it, otherwise with one fetch. */
export async function findSource(search: Search): Promise<Source> {
  const { hands, folders, commit, known, limits } = search
  if (commit !== undefined) {
    return (await readIfThere(search, commit)) ?? (await fetchSource(search, commit))
  }
  if (known === undefined) {
    return fetchSource(search)
  }
  // Reads what is probably the answer while the server is still being asked.
  const [tip, source] = await together([
    askTipOf(search),
    unlessMissing(() => readSource(hands, folders.mirror, { revision: known, limits })),
  ])
  if (source && tip === known) {
    return source
  }
  return (await readIfThere(search, tip)) ?? (await fetchSource(search, tip))
}

/** A revision of the mirror; OBJECT_NOT_FOUND when it is not there. */
export async function readSource(
  hands: Hands,
  mirror: string,
  of: { readonly revision: string; readonly limits: TreeLimits },
): Promise<Source> {
  const [entries, facts] = await together([
    readTree(hands, mirror, of),
    hands.perform(commitFacts(mirror, of.revision)),
  ])
  return { facts, entries }
}

async function readTree(
  hands: Hands,
  mirror: string,
  { revision, limits }: { readonly revision: string; readonly limits: TreeLimits },
): Promise<readonly TreeEntry[]> {
  try {
    return await hands.perform(listTree(mirror, revision, limits))
  } catch (error) {
    if (isCalled(error, 'OUTPUT_TOO_LARGE')) {
      throw REPOSITORY_TOO_LARGE(`it has more than ${limits.files} files`).with({ cause: error })
    }
    throw error
  }
}

/** For a commit that was most likely pushed just now: that it is not here is found out with one start of git. */
async function readIfThere({ hands, folders, limits }: Search, commit: string): Promise<Source | undefined> {
  return await unlessMissing(async () => {
    const facts = await hands.perform(commitFacts(folders.mirror, commit))
    return { facts, entries: await readTree(hands, folders.mirror, { revision: commit, limits }) }
  })
}

/** Undefined when the mirror cannot give it; fetching it then says why. */
async function unlessMissing(read: () => Promise<Source>): Promise<Source | undefined> {
  try {
    return await read()
  } catch (error) {
    if (OBJECT_NOT_FOUND.matches(error) || REPOSITORY_TOO_LARGE.matches(error)) {
      return undefined
    }
    throw error
  }
}

async function askTipOf({ hands, branch, remote }: Search): Promise<string> {
  return (await askTip(hands, await remote(), branch)).commit
}

async function fetchSource(search: Search, commit?: string): Promise<Source> {
  const { hands, folders, limits } = search
  const [remote] = await together([search.remote(), prepareMirror(hands, folders)])
  const ref = search.ref ?? `refs/deploy/${hands.id}`
  try {
    await fetchInto(search, { remote, ref, commit })
  } catch (error) {
    // What a fetch that was ended leaves behind; the next one would find it too, so a failure here hides nothing.
    await prepareMirror(hands, folders).catch(() => {})
    throw error
  }
  const source = await readSource(hands, folders.mirror, { revision: ref, limits })
  // A tip that moved in the meantime is as good; a commit that somebody named is not.
  if (search.commit !== undefined && source.facts.commit !== search.commit) {
    throw COMMIT_NOT_FOUND(search.commit, `the branch ${search.branch} of ${remote.url.text}`)
  }
  return source
}

/** By its name when it is known, which saves the server a question; but servers may serve branches only. */
async function fetchInto(
  { hands, folders, branch, tolerate }: Search,
  want: { readonly remote: GitRemote; readonly ref: string; readonly commit: string | undefined },
): Promise<void> {
  const { remote, ref, commit } = want
  const fetch = { mirror: folders.mirror, remote, ref, tolerate, maxBytes: MOST_FETCHED_BYTES }
  if (commit !== undefined) {
    try {
      await performRemotely(hands, remote, fetchCommit(fetch, commit))
      return
    } catch (error) {
      if (!COMMIT_NOT_FOUND.matches(error)) {
        throw error
      }
    }
  }
  await performRemotely(hands, remote, fetchBranch(fetch, branch))
}

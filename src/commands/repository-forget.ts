import { join } from 'node:path'
import { deleteRefs, listRefs, tidyMirror } from '#programs/git.ts'
import type { Hands } from './command.ts'
import { foldersOf, isCommit, isTemporary, type RepositoryFolders } from './repository-folders.ts'
import { list, remove, removeFolder } from './repository-mirror.ts'

/** Removes the checkouts of a repository that are not kept, and from its mirror what only they needed. */
export async function forgetCommits(
  hands: Hands,
  repository: string,
  { keep, commits }: { readonly keep: readonly string[]; readonly commits: readonly string[] },
): Promise<string[]> {
  const folders = foldersOf(hands.host.workspace, repository)
  const removed = await forgetCheckouts(hands, folders, keep)
  const { missing } = await hands.perform(list(folders.mirror))
  if (!missing) {
    await forgetRefs(hands, folders.mirror, [...keep, ...commits])
  }
  return removed
}

/** Removes everything that the worker has of a repository. */
export async function forgetRepository(hands: Hands, repository: string): Promise<string[]> {
  const folders = foldersOf(hands.host.workspace, repository)
  const removed = await forgetCheckouts(hands, folders, [])
  await hands.perform(remove(folders.checkouts))
  await hands.perform(remove(folders.repository))
  return removed
}

async function forgetCheckouts(
  hands: Hands,
  { checkouts }: RepositoryFolders,
  keep: readonly string[],
): Promise<string[]> {
  const { names = [] } = await hands.perform(list(checkouts))
  const removed = names.filter(name => isCommit(name) && !keep.includes(name))
  for (const commit of removed) {
    await removeFolder(hands, checkouts, join(checkouts, commit))
  }
  for (const name of names.filter(isTemporary)) {
    await hands.perform(remove(join(checkouts, name)))
  }
  return removed
}

/** Keeps one ref for each commit that is kept: each fetch makes a new one. */
async function forgetRefs(hands: Hands, mirror: string, keep: readonly string[]): Promise<void> {
  const refs = await hands.perform(listRefs(mirror))
  const needed = new Set(keep)
  const superfluous = refs.filter(({ commit }) => !needed.delete(commit))
  if (superfluous.length > 0) {
    await hands.perform(
      deleteRefs(
        mirror,
        superfluous.map(each => each.ref),
      ),
    )
    await hands.perform(tidyMirror(mirror))
  }
}

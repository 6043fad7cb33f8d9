import { join } from 'node:path'
import { type Static, Type } from 'typebox'
import { REMOTE_FOLDER, remoteFolderOf } from '#formats/remote-folder.ts'
import { newId } from '#lib/id.ts'
import { checkedBranch } from '#programs/git-names.ts'
import { commitTree, keepCommit, readTree, writeTree } from '#programs/git-push.ts'
import type { CommitFacts } from '#programs/git-tree.ts'
import { REMOTE_FOLDER_TAKEN } from './repository-errors.ts'
import { Branch, Commit, strict } from './repository-fields.ts'
import { temporaryName } from './repository-folders.ts'
import { remove } from './repository-mirror.ts'
import { askTip, nameRemote, openRemote, RemoteFields } from './repository-remote.ts'
import { findSource, readSource, type Search, type Source } from './repository-source.ts'

/** Another repository whose files a checkout has too. */
export const RemoteSource = Type.Object(
  {
    ...RemoteFields,
    name: Type.String({ pattern: '^[a-zA-Z0-9_-]{1,100}$' }),
    /** Default: the default branch of its server. */
    branch: Type.Optional(Branch),
    commit: Type.Optional(Commit),
  },
  strict,
)
type RemoteSource = Static<typeof RemoteSource>

export const FoundRemote = Type.Object({ name: Type.String(), branch: Branch, commit: Commit }, strict)

export interface JoinedSource extends Source {
  /** The commit that has the files of all of them. */
  readonly checkout: string
  readonly remotes: readonly Static<typeof FoundRemote>[]
}

/**
 * Makes one commit of the files of several repositories, in the mirror of the first: so everything that is done with the
 * files of a commit is done with these, and the same limits hold for all of them together. The same commits always make
 * the same one.
 */
export async function joinRemotes(
  search: Search,
  own: Source,
  remotes: readonly RemoteSource[],
): Promise<JoinedSource> {
  const { hands, folders, limits } = search
  const taken = own.entries.find(({ path }) => path.toLowerCase().split('/')[0] === REMOTE_FOLDER)
  if (taken) {
    throw REMOTE_FOLDER_TAKEN(taken.path)
  }
  const found: { name: string; branch: string; facts: CommitFacts }[] = []
  for (const remote of remotes) {
    // One after the other: fetches into one mirror at once would meet at its locks.
    found.push({ name: remote.name, ...(await findRemote(search, remote)) })
  }
  const index = join(folders.repository, temporaryName(newId()))
  try {
    await hands.perform(readTree(folders.mirror, own.facts.commit, index))
    for (const { name, facts } of found) {
      await hands.perform(readTree(folders.mirror, facts.commit, index, remoteFolderOf(name)))
    }
    const tree = await hands.perform(writeTree(folders.mirror, index))
    const checkout = await hands.perform(
      commitTree(folders.mirror, {
        tree,
        parents: [own.facts.commit, ...found.map(({ facts }) => facts.commit)],
        message: `${own.facts.commit} with ${found.map(each => `${each.name} ${each.facts.commit}`).join(', ')}\n`,
        date: Math.max(own.facts.date, ...found.map(({ facts }) => facts.date)),
      }),
    )
    await hands.perform(keepCommit(folders.mirror, `refs/deploy/${hands.id}-joined`, checkout))
    const { entries } = await readSource(hands, folders.mirror, { revision: checkout, limits })
    const told = found.map(({ name, branch, facts }) => ({ name, branch, commit: facts.commit }))
    for (const { name, branch, commit } of told) {
      hands.say(`${remoteFolderOf(name)}: ${branch} ${commit.slice(0, 12)}`, 'info')
    }
    return { facts: own.facts, entries, checkout, remotes: told }
  } finally {
    await hands.perform(remove(index))
  }
}

async function findRemote(
  search: Search,
  wanted: RemoteSource,
): Promise<{ branch: string; facts: CommitFacts }> {
  const { hands } = search
  const { name, branch, commit, ...data } = wanted
  const named = nameRemote(hands, data)
  let opened: ReturnType<typeof openRemote> | undefined
  const remote = () => {
    opened ??= openRemote(hands, named)
    return opened
  }
  const tip =
    commit !== undefined && branch !== undefined
      ? { commit, branch: checkedBranch(branch) }
      : await askTip(hands, await remote(), branch)
  const { facts } = await findSource({
    ...search,
    remote,
    ref: `refs/deploy/${hands.id}-${name}`,
    branch: tip.branch,
    known: undefined,
    commit: commit ?? tip.commit,
  })
  return { branch: tip.branch, facts }
}

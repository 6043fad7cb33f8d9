import { type Static, Type } from 'typebox'
import { BAD_INPUT } from '#lib/check.ts'
import { TOLERATED_FINDINGS } from '#programs/git.ts'
import { treesOf } from '#programs/git-tree.ts'
import { defineCommand, type Hands } from './command.ts'
import { compareCommits } from './repository-changes.ts'
import { type CheckedOut, checkOut } from './repository-checkout.ts'
import { Branch, Commit, Key, lockOf, MINUTE, Path, strict } from './repository-fields.ts'
import { foldersOf } from './repository-folders.ts'
import { forgetCommits, forgetRepository } from './repository-forget.ts'
import { FoundRemote, RemoteSource } from './repository-join.ts'
import { askTip, nameRemote, openRemote, RemoteFields } from './repository-remote.ts'
import { DEFAULT_LIMITS, readSource } from './repository-source.ts'
import { chooseFiles, readTexts } from './repository-texts.ts'
import { withinFrame } from './within-frame.ts'

const MOST_PATHS = 5000
const MOST_LINKS = 500

/** Paths, or patterns with * and ? within a part and ** for any number of parts. */
const Texts = Type.Array(Path, { maxItems: 100 })
const TextByPath = Type.Record(Type.String(), Type.String())
const Paths = Type.Array(Type.String(), { maxItems: MOST_PATHS })

export const repositoryTip = defineCommand({
  name: 'repository.tip',
  summary: 'Asks a Git server for the commit at the tip of a branch (default: its default branch).',
  role: 'worker',
  looksOnly: true,
  engineFree: true,
  // The repository's key is taken, though not needed, so that every command can be given the same description of one.
  data: Type.Object(
    { ...RemoteFields, repository: Type.Optional(Key), branch: Type.Optional(Branch) },
    strict,
  ),
  result: Type.Object({ commit: Commit, branch: Type.String() }, strict),
  deadlineMs: MINUTE,
  async run(hands, data) {
    return askTip(hands, await openRemote(hands, nameRemote(hands, data)), data.branch)
  },
})

const CheckoutResult = Type.Object(
  {
    commit: Commit,
    tree: Commit,
    /** The commit that the files are of, when there are those of other repositories among them; and what these gave. */
    checkout: Type.Optional(Commit),
    remotes: Type.Optional(Type.Array(FoundRemote)),
    subject: Type.String(),
    author: Type.String(),
    /** When it was committed, ms since 1970. */
    date: Type.Integer(),
    /** Its message asks that pushing it deploys nothing. */
    skips: Type.Boolean(),
    /** The deployment that its message says it reports on: it is ours, if that is true. */
    deploy_id: Type.Optional(Type.String()),
    /** What its message asks for, in words such as `deploy-web`. */
    actions: Type.Optional(Type.Array(Type.String(), { maxItems: 50 })),
    /** The commit is the known one. */
    unchanged: Type.Boolean(),
    /** All paths, or those nearest to the root when there are too many. */
    paths: Paths,
    truncated: Type.Boolean(),
    /** Paths that are symbolic links; the checkout has plain files in their places. */
    links: Paths,
    texts: TextByPath,
    warnings: Type.Array(Type.String(), { maxItems: 20 }),
  },
  strict,
)

export const repositoryCheckout = defineCommand({
  name: 'repository.checkout',
  summary: 'Fetches a branch or a commit, publishes its files as an immutable folder, and reads texts of it.',
  role: 'worker',
  engineFree: true,
  data: Type.Object(
    {
      ...RemoteFields,
      repository: Key,
      branch: Branch,
      commit: Type.Optional(Commit),
      /** The commit that is deployed, when it is probably still the tip: if so, nothing is fetched. Leave it out after a push. */
      known: Type.Optional(Commit),
      texts: Texts,
      /** Other repositories whose files are in the checkout too, each in a folder of its name below `.remote-repo`. */
      remotes: Type.Optional(Type.Array(RemoteSource, { maxItems: 5 })),
      /** Harmless findings of fsck in old repositories. */
      tolerate: Type.Optional(
        Type.Array(Type.Enum([...TOLERATED_FINDINGS]), { maxItems: TOLERATED_FINDINGS.length }),
      ),
      limits: Type.Optional(
        Type.Object(
          {
            files: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
            bytes: Type.Optional(Type.Integer({ minimum: 1, maximum: 2 ** 40 })),
          },
          strict,
        ),
      ),
    },
    strict,
  ),
  result: CheckoutResult,
  deadlineMs: 5 * MINUTE,
  lock: data => lockOf(data.repository),
  async run(hands, data) {
    return asResult(await checkOut(hands, data), data.known)
  },
})

export const repositoryRead = defineCommand({
  name: 'repository.read',
  summary: 'Reads files of a commit that was checked out before.',
  role: 'worker',
  looksOnly: true,
  engineFree: true,
  data: Type.Object({ repository: Key, commit: Commit, paths: Texts }, strict),
  result: Type.Object({ texts: TextByPath }, strict),
  deadlineMs: MINUTE,
  async run(hands, data) {
    const mirror = mirrorOf(hands, data.repository)
    const { entries } = await readSource(hands, mirror, { revision: data.commit, limits: DEFAULT_LIMITS })
    return { texts: await readTexts(hands, mirror, chooseFiles(entries, data.paths)) }
  },
})

export const repositoryTrees = defineCommand({
  name: 'repository.trees',
  summary: 'Gives the Git ids of files and folders of a commit: equal ids mean equal content.',
  role: 'worker',
  looksOnly: true,
  engineFree: true,
  data: Type.Object({ repository: Key, commit: Commit, paths: Type.Array(Path, { maxItems: 1000 }) }, strict),
  result: Type.Object({ ids: Type.Record(Type.String(), Type.Union([Commit, Type.Null()])) }, strict),
  deadlineMs: MINUTE,
  async run(hands, data) {
    return { ids: await hands.perform(treesOf(mirrorOf(hands, data.repository), data.commit, data.paths)) }
  },
})

export const repositoryChanges = defineCommand({
  name: 'repository.changes',
  summary:
    'Compares two commits that were checked out before: how many paths changed, and which of the watched ones.',
  role: 'worker',
  looksOnly: true,
  engineFree: true,
  data: Type.Object(
    {
      ...{ repository: Key, from: Commit, to: Commit, watch: Type.Array(Path, { maxItems: 1000 }) },
      /** What changed in these counts as nothing. */
      ignore: Type.Optional(Type.Array(Path, { maxItems: 1000 })),
    },
    strict,
  ),
  result: Type.Object(
    {
      compared: Type.Enum(['yes', 'unknown']),
      changed: Type.Integer(),
      watched: Type.Integer(),
      examples: Type.Array(Type.String(), { maxItems: 100 }),
    },
    strict,
  ),
  deadlineMs: MINUTE,
  async run(hands, { repository, ...comparison }) {
    const { examples, ...found } = await compareCommits(hands, mirrorOf(hands, repository), comparison)
    return { ...found, examples: [...examples] }
  },
})

export const repositoryForget = defineCommand({
  name: 'repository.forget',
  summary: 'Removes the checkouts of a repository that are not kept, or all that the worker has of it.',
  role: 'worker',
  engineFree: true,
  data: Type.Object(
    {
      repository: Key,
      keep: Type.Array(Commit, { maxItems: 1000 }),
      /** These stay in the mirror too, without a checkout. */
      commits: Type.Optional(Type.Array(Commit, { maxItems: 1000 })),
      /** `remove` only with nothing to keep. */
      mirror: Type.Optional(Type.Enum(['keep', 'remove'])),
    },
    strict,
  ),
  result: Type.Object({ removed: Type.Array(Commit) }, strict),
  deadlineMs: 10 * MINUTE,
  lock: data => lockOf(data.repository),
  async run(hands, { repository, keep, commits = [], mirror }) {
    if (mirror !== 'remove') {
      return { removed: await forgetCommits(hands, repository, { keep, commits }) }
    }
    if (keep.length + commits.length > 0) {
      throw BAD_INPUT('repository.forget', 'mirror can be removed only when "keep" is empty')
    }
    return { removed: await forgetRepository(hands, repository) }
  },
})

function mirrorOf(hands: Hands, repository: string): string {
  return foldersOf(hands.host.workspace, repository).mirror
}

function asResult(
  { facts, entries, texts, warnings, checkout, remotes }: CheckedOut,
  known: string | undefined,
): Static<typeof CheckoutResult> {
  const { commit, tree, subject, author, date, skips, deployId, actions } = facts
  const paths = withinFrame(entries, { most: MOST_PATHS, bytes: 200 * 1024 })
  const links = withinFrame(
    entries.filter(entry => entry.kind === 'link'),
    { most: MOST_LINKS, bytes: 32 * 1024 },
  )
  const truncated = paths.length < entries.length
  const result = {
    commit,
    tree,
    ...(checkout === undefined ? {} : { checkout, remotes: [...(remotes ?? [])] }),
    subject,
    author,
    date,
    skips,
    ...(deployId === undefined ? {} : { deploy_id: deployId }),
    ...(actions.length === 0 ? {} : { actions: [...actions] }),
    paths,
    truncated,
    links,
    texts,
    warnings: [...warnings],
  }
  return { ...result, unchanged: commit === known }
}

import { join } from 'node:path'
import { BAD_INPUT } from '#lib/check.ts'
import { newId } from '#lib/id.ts'
import { fetchBranch } from '#programs/git.ts'
import type { GitRemote } from '#programs/git-access.ts'
import { checkedBranch } from '#programs/git-names.ts'
import {
  commitTree,
  type NewFile,
  parentOf,
  pushCommit,
  readTree,
  updateIndex,
  writeBlob,
  writeTree,
} from '#programs/git-push.ts'
import type { Hands } from './command.ts'
import { type MarkedBlock, withBlock } from './marked-block.ts'
import { BRANCH_TOO_BUSY, WRITE_BACK_PATH_REFUSED } from './repository-errors.ts'
import { foldersOf, type RepositoryFolders, temporaryName } from './repository-folders.ts'
import { makeFolder, mendMirror, prepareMirror, remove } from './repository-mirror.ts'
import { nameRemote, openRemote, performRemotely, type RemoteData } from './repository-remote.ts'
import { DEFAULT_LIMITS, readSource, type Source } from './repository-source.ts'
import { chooseFiles, readTexts } from './repository-texts.ts'
import { isWriteBackPath } from './write-back-path.ts'

export interface WriteBackData extends RemoteData {
  readonly repository: string
  readonly branch: string
  readonly blocks: readonly (MarkedBlock & { readonly path: string })[]
  /** The deployment that is reported on, and the commit that it deployed. */
  readonly deployment: string
  readonly commit: string
}

export interface WrittenBack {
  readonly outcome: 'pushed' | 'unchanged'
  /** Where the branch is now, as far as we know. */
  readonly commit: string
  /** The commit that ours was made on. */
  readonly parent: string | null
  /** That one asked for no deployment. */
  readonly skips: boolean
  readonly warnings: readonly string[]
}

interface Work {
  readonly hands: Hands
  readonly data: WriteBackData
  readonly folders: RepositoryFolders
  readonly remote: GitRemote
}

const MOST_TRIES = 8
const FIRST_WAIT_MS = 200
const LONGEST_WAIT_MS = 5000
const MOST_FETCHED_BYTES = 2 * 1024 ** 3
const PRIVATE = 0o700

/**
 * Writes marked blocks into files of a branch, in one commit without a work tree. Whoever pushes meanwhile wins: the
 * blocks are put into what they pushed. What stands there already is not written again.
 */
export async function writeBack(hands: Hands, data: WriteBackData): Promise<WrittenBack> {
  checkedBranch(data.branch)
  for (const block of data.blocks) {
    refuse(block)
  }
  const folders = foldersOf(hands.host.workspace, data.repository)
  const remote = await openRemote(hands, nameRemote(hands, data))
  const work = { hands, data, folders, remote }
  for (let tried = 1; ; tried++) {
    const written = await attempt(work)
    if (written !== 'moved') {
      return written
    }
    if (tried === MOST_TRIES) {
      throw BRANCH_TOO_BUSY(data.branch, remote.url.text, MOST_TRIES)
    }
    hands.say(`${data.branch} moved meanwhile; trying again`, 'info')
    const wait = Math.min(FIRST_WAIT_MS * 2 ** (tried - 1), LONGEST_WAIT_MS)
    await hands.clock.sleep(wait * (0.5 + Math.random()), hands.signal)
  }
}

function refuse({ path, text }: WriteBackData['blocks'][number]): void {
  if (!isWriteBackPath(path)) {
    throw WRITE_BACK_PATH_REFUSED(path)
  }
  if (/:(?:begin v=|end -->)/.test(text)) {
    throw BAD_INPUT('repository.write-back', `the text for ${path} contains a mark`)
  }
}

async function attempt(work: Work): Promise<WrittenBack | 'moved'> {
  const { hands, data, folders } = work
  const source = await fetchTip(work)
  const { facts } = source
  if (facts.deployId === data.deployment) {
    const parent = (await hands.perform(parentOf(folders.mirror, facts.commit))) ?? null
    return { outcome: 'pushed', commit: facts.commit, parent, skips: false, warnings: [] }
  }
  const { files, warnings } = await mergedFiles(work, source)
  const unchanged = { outcome: 'unchanged', commit: facts.commit, parent: null, skips: facts.skips } as const
  const tree = files.length === 0 ? facts.tree : await treeWith(work, files, facts.commit)
  if (tree === facts.tree) {
    return { ...unchanged, warnings }
  }
  const parent = facts.commit
  const commit = await hands.perform(
    commitTree(folders.mirror, { tree, parent, message: messageOf(data, files) }),
  )
  const push = { mirror: folders.mirror, remote: work.remote, branch: data.branch, commit, expected: parent }
  if ((await performRemotely(hands, work.remote, pushCommit(push))) === 'moved') {
    return 'moved'
  }
  hands.say(`${data.branch}: ${commit.slice(0, 12)} ${files.map(({ path }) => path).join(', ')}`, 'info')
  return { outcome: 'pushed', commit, parent, skips: facts.skips, warnings }
}

async function fetchTip(work: Work): Promise<Source> {
  try {
    return await fetchOnce(work)
  } catch (error) {
    if ((await mendMirror(work.hands, work.folders, error)) === 'nothing') {
      throw error
    }
    return await fetchOnce(work)
  }
}

async function fetchOnce({ hands, data, folders, remote }: Work): Promise<Source> {
  await prepareMirror(hands, folders)
  const ref = `refs/deploy/${hands.id}`
  const fetch = { mirror: folders.mirror, remote, ref, maxBytes: MOST_FETCHED_BYTES }
  await performRemotely(hands, remote, fetchBranch(fetch, data.branch))
  return await readSource(hands, folders.mirror, { revision: ref, limits: DEFAULT_LIMITS })
}

interface MergedFiles {
  readonly files: readonly NewFile[]
  readonly warnings: readonly string[]
}

/** The files as they shall be; those of a block that must be left alone are not among them. */
async function mergedFiles({ hands, data, folders }: Work, { entries }: Source): Promise<MergedFiles> {
  const wanted = [...new Set(data.blocks.map(({ path }) => path))]
  const before = await readTexts(hands, folders.mirror, chooseFiles(entries, wanted))
  const files: NewFile[] = []
  const warnings: string[] = []
  for (const path of wanted) {
    const old = before[path] ?? ''
    if (old.includes('\ufffd')) {
      warnings.push(`${path} is left alone: it is no UTF-8 text`)
      continue
    }
    let text = old
    for (const block of data.blocks.filter(each => each.path === path)) {
      const merged = withBlock(text, block)
      text = merged.text
      if (merged.warning !== undefined) {
        warnings.push(`${path} ${merged.warning}`)
      }
    }
    if (text !== old) {
      files.push({ path, id: await hands.perform(writeBlob(folders.mirror, text)) })
    }
  }
  return { files, warnings }
}

/** In an index of its own: the mirror has none. */
async function treeWith(
  { hands, folders }: Work,
  files: readonly NewFile[],
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

/** The words in brackets keep the host's own CI from running; the trailers tell us that it is ours. */
function messageOf({ deployment, commit }: WriteBackData, files: readonly NewFile[]): string {
  const what = files.length === 1 ? files[0]?.path : `${files.length} files`
  return `chore(deploy): update ${what} [skip ci]\n\nDeploy-Id: ${deployment}\nDeployed-Commit: ${commit}\n`
}

import { BAD_INPUT } from '#lib/check.ts'
import { FairleadError } from '#lib/errors.ts'
import { type FileOfCommit, writeBlob } from '#programs/git-push.ts'
import type { TreeEntry } from '#programs/git-tree.ts'
import type { Hands } from './command.ts'
import { blockIn, hasBlock, type MarkedBlock, withBlock } from './marked-block.ts'
import { WRITE_BACK_PATH_REFUSED } from './repository-errors.ts'
import { type RewriteData, type Rewritten, rewriteBranch, type Tip } from './repository-rewrite.ts'
import { chooseFiles, readTexts } from './repository-texts.ts'
import { isWriteBackPath } from './write-back-path.ts'

/** A block and the file that it is for. */
export interface PlacedBlock extends MarkedBlock {
  readonly path: string
  /** What a file begins with that is made for it. */
  readonly heading?: string
  /** Nothing is written where it does not stand already. */
  readonly onlyInPlace?: boolean
  /** What is to be told of the block that stands there and gives way to this one. */
  readonly find?: (standing: string) => string | undefined
}

export interface WriteBackData extends RewriteData {
  readonly blocks: readonly PlacedBlock[]
  /** The deployment that is reported on, and the commit that it deployed. */
  readonly deployment: string
  readonly commit: string
}

export interface WrittenBack extends Rewritten {
  readonly warnings: readonly string[]
}

/**
 * Writes marked blocks into files of a branch. Whoever pushes meanwhile wins: the blocks are put into what they pushed.
 * What stands there already is not written again.
 */
export async function writeBack(hands: Hands, data: WriteBackData): Promise<WrittenBack> {
  for (const block of data.blocks) {
    refuse(block)
  }
  let warnings: readonly string[] = []
  const written = await rewriteBranch(hands, data, {
    isOurs: ({ facts }) => facts.deployId === data.deployment,
    async edit(tip) {
      const merged = await mergedFiles(hands, tip, data.blocks)
      warnings = merged.warnings
      return { files: merged.files, message: messageOf(data, merged.files) }
    },
  })
  return { ...written, warnings }
}

function refuse({ path, text }: WriteBackData['blocks'][number]): void {
  if (!isWriteBackPath(path)) {
    throw WRITE_BACK_PATH_REFUSED(path)
  }
  if (/:(?:begin v=|end -->)/.test(text)) {
    throw BAD_INPUT('repository.write-back', `the text for ${path} contains a mark`)
  }
}

export interface MergedFiles {
  readonly files: readonly FileOfCommit[]
  readonly warnings: readonly string[]
}

/**
 * The files as they shall be; those of a block that must be left alone are not among them. One that cannot be read
 * is an error, or with `tolerant` a warning: it must not keep the others from being written.
 */
export async function mergedFiles(
  hands: Hands,
  { mirror, entries }: Tip,
  blocks: readonly PlacedBlock[],
  tolerant?: 'tolerant',
): Promise<MergedFiles> {
  const warnings: string[] = []
  const wanted: string[] = []
  const there: TreeEntry[] = []
  for (const path of new Set(blocks.map(block => block.path))) {
    try {
      there.push(...chooseFiles(entries, [path]))
      wanted.push(path)
    } catch (error) {
      if (tolerant === undefined || !(error instanceof FairleadError)) {
        throw error
      }
      warnings.push(`${path} is left alone: ${error.message}`)
    }
  }
  const before = await readTexts(hands, mirror, there)
  const files: FileOfCommit[] = []
  for (const path of wanted) {
    const old = before[path] ?? ''
    if (old.includes('\ufffd')) {
      warnings.push(`${path} is left alone: it is no UTF-8 text`)
      continue
    }
    let text = old
    for (const block of blocks.filter(each => each.path === path)) {
      if (block.onlyInPlace && !hasBlock(text, block.marker)) {
        continue
      }
      const merged = withBlock(
        text === '' && block.heading !== undefined ? `${block.heading}\n` : text,
        block,
      )
      const standing = merged.text === text ? undefined : blockIn(text, block.marker)
      const finding = merged.warning ?? (standing === undefined ? undefined : block.find?.(standing))
      text = merged.text
      if (finding !== undefined) {
        warnings.push(`${path} ${finding}`)
      }
    }
    if (text !== old) {
      files.push({ path, id: await hands.perform(writeBlob(mirror, text)) })
    }
  }
  return { files, warnings }
}

/** The words in brackets keep the host's own CI from running; the trailers tell us that it is ours. */
function messageOf({ deployment, commit }: WriteBackData, files: readonly FileOfCommit[]): string {
  const what = files.length === 1 ? files[0]?.path : `${files.length} files`
  return `chore(deploy): update ${what} [skip ci]\n\nDeploy-Id: ${deployment}\nDeployed-Commit: ${commit}\n`
}

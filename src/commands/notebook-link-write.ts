import { BRANCH_PROTECTED } from '#programs/git-errors.ts'
import { RepositoryNotebooks } from '#recipes/notebook-settings.ts'
import { readSettings } from '#recipes/read-settings.ts'
import type { Hands } from './command.ts'
import { indexBlock, notebookBlock } from './notebook-block.ts'
import type { NotebookLink } from './notebook-link-data.ts'
import { LINKS_BRANCH_REFUSED, LINKS_SETTINGS_WRONG } from './notebook-link-errors.ts'
import { mergedFiles, type PlacedBlock } from './repository-blocks.ts'
import {
  type RewriteData,
  type Rewriting,
  type Rewritten,
  rewriteBranch,
  type Tip,
} from './repository-rewrite.ts'
import { chooseFiles, readTexts } from './repository-texts.ts'
import { isWriteBackPath } from './write-back-path.ts'

export interface LinksData extends RewriteData {
  readonly links: readonly NotebookLink[]
  /** Of this writing: a worker that is asked again knows its commit by it. */
  readonly write: string
}

export interface LinksWritten extends Omit<Rewritten, 'outcome'> {
  readonly outcome: Rewritten['outcome'] | 'disabled'
  readonly branch: string
  readonly files: number
  readonly warnings: readonly string[]
}

/** What notebooks.yaml says of these files. */
interface Wishes {
  readonly enabled: boolean
  readonly index: boolean
  readonly image: boolean
  readonly branch: string | undefined
  /** Asks for a merge request from that branch. */
  readonly isRequest: boolean
}

/** Where a branch that must not be pushed to has its links instead. */
const SIDE_BRANCH = 'nb-links'
const SIDE_BRANCHES = /^nb-[A-Za-z0-9._/-]{1,90}$/

/**
 * Writes the links of all notebook projects of a repository in one commit, where what stands there says something else.
 * They go to a branch of their own when notebooks.yaml names one, or when the branch is protected.
 */
export async function writeLinks(hands: Hands, data: LinksData): Promise<LinksWritten> {
  const first = await attempt(hands, data).catch((error: unknown): Attempt => {
    if (BRANCH_PROTECTED.matches(error)) {
      return { elsewhere: SIDE_BRANCH, warning: `${error.message} The links are written to ${SIDE_BRANCH}.` }
    }
    throw error
  })
  if (first.elsewhere === undefined) {
    return first
  }
  const { elsewhere: branch } = first
  const second = await attempt(hands, { ...data, branch, from: data.branch }, first.wishes)
  const warnings = first.warning === undefined ? [] : [first.warning]
  return { ...(second as LinksWritten), warnings: [...warnings, ...(second.warnings ?? [])] }
}

type Attempt =
  | (LinksWritten & { readonly elsewhere?: undefined })
  | {
      readonly elsewhere: string
      readonly wishes?: Wishes
      readonly warning?: string
      readonly warnings?: readonly string[]
    }

/** With wishes that were read before, on the branch that they name. */
async function attempt(hands: Hands, data: LinksData, known?: Wishes): Promise<Attempt> {
  let wishes = known
  let merged: { files: readonly unknown[]; warnings: readonly string[] } = { files: [], warnings: [] }
  const isSide = data.from !== undefined
  const isMeant = () => isSide || wishes?.branch === undefined
  const written = await rewriteBranch(hands, data, {
    isOurs: ({ facts }) => facts.deployId === data.write,
    async edit(tip): Promise<Rewriting> {
      wishes = known ?? (await readWishes(hands, tip, data.branch))
      if (!wishes.enabled || !isMeant()) {
        return { files: [], message: '' }
      }
      const now = await mergedFiles(hands, tip, blocksFor(data.links, wishes), 'tolerant')
      merged = now
      const message = messageOf(now.files.length, tip.facts.commit, data.write)
      return { files: now.files, message, options: optionsFor(wishes, data) }
    },
  })
  if (!isMeant() && wishes?.branch !== undefined && wishes.enabled) {
    return { elsewhere: wishes.branch, wishes }
  }
  const { plain, ...rewritten } = written
  const isAlone = plain === true && wishes?.isRequest === true
  return {
    ...rewritten,
    outcome: wishes?.enabled === false ? 'disabled' : written.outcome,
    branch: data.branch,
    files: merged.files.length,
    warnings: [...(isAlone ? [BY_HAND(data.branch)] : []), ...merged.warnings, ...unwritable(data.links)],
  }
}

const BY_HAND = (branch: string) =>
  `This Git server makes no merge request for a push: make one of ${branch} by hand. Its branch is kept up to date.`

/** As GitLab knows them. A request that is open already stays the one: its branch is what changes. */
function optionsFor({ isRequest }: Wishes, { from }: LinksData): string[] {
  const request = [
    'merge_request.create',
    ...(from === undefined ? [] : [`merge_request.target=${from}`]),
    'merge_request.title=Update notebook links',
  ]
  return ['ci.skip', ...(isRequest ? request : [])]
}

async function readWishes(hands: Hands, { mirror, entries }: Tip, own: string): Promise<Wishes> {
  const [file] = chooseFiles(entries, ['notebooks.yaml', 'notebooks.yml'])
  const texts = await readTexts(hands, mirror, file ? [file] : [])
  const { value = {}, problems } = readSettings(
    RepositoryNotebooks,
    texts[file?.path ?? ''] ?? '',
    file?.path ?? '',
  )
  const [problem] = problems
  if (problem) {
    throw LINKS_SETTINGS_WRONG(`${problem.path} ${problem.message}`.trim()).with({ problems })
  }
  const { enabled = true, index = false, image = false, branch, mode = 'commit' } = value.urlmd ?? {}
  const isRequest = mode === 'merge-request'
  const named = branch === own ? undefined : branch
  const wanted = named ?? (isRequest ? SIDE_BRANCH : undefined)
  return {
    enabled,
    index,
    image,
    isRequest,
    branch: wanted === undefined ? undefined : sideBranch(wanted),
  }
}

/** Whoever may push to one branch must not make us push to any other. */
function sideBranch(branch: string): string {
  if (!SIDE_BRANCHES.test(branch)) {
    throw LINKS_BRANCH_REFUSED(branch)
  }
  return branch
}

function blocksFor(links: readonly NotebookLink[], { index, image }: Wishes): PlacedBlock[] {
  const blocks = links.map(link => notebookBlock(link, image)).filter(({ path }) => isWriteBackPath(path))
  return index ? [...blocks, indexBlock(links)] : blocks
}

function unwritable(links: readonly NotebookLink[]): string[] {
  return links
    .map(link => notebookBlock(link, false).path)
    .filter(path => !isWriteBackPath(path))
    .map(path => `${path} is not written: no file of such a folder is`)
}

/** The words in brackets keep the host's own CI from running; the trailers tell us that it is ours. */
function messageOf(files: number, head: string, write: string): string {
  return `Update notebook links (${files}) [skip ci]\n\nNb-Bot: url-md\nNb-Source: ${head}\nDeploy-Id: ${write}\n`
}

import { type CommitFile, listFiles } from '#programs/git-files.ts'
import { checkedPath } from '#programs/git-names.ts'
import { contentHash, isShipped } from '#recipes/content.ts'
import { CONFIG_FILES } from '#recipes/packs.ts'
import { type NotebookProject, type NotebookScan, scanNotebooks, scanReads } from '#recipes/scan.ts'
import type { Hands } from './command.ts'
import { NOTEBOOK_FOLDER_MISSING, NOTEBOOK_REFUSED } from './notebook-errors.ts'
import { createTexts, type TextLimits, type Texts } from './notebook-texts.ts'
import { foldersOf } from './repository-folders.ts'

export interface NotebookSource {
  readonly files: readonly CommitFile[]
  readonly texts: Texts
  readonly scan: NotebookScan
}

interface SourceWish extends TextLimits {
  readonly repository: string
  readonly commit: string
  readonly repositoryName: string
  readonly given?: Readonly<Record<string, string>> | undefined
}

/** What is read before anybody asks for it may be so large. */
const SMALL_BYTES = 256 * 1024

/** The notebook projects of a commit: two questions to the mirror, whatever their number. */
export async function readNotebooks(hands: Hands, wish: SourceWish): Promise<NotebookSource> {
  const { repository, commit, repositoryName, given = {}, notebookBytes } = wish
  const { mirror } = foldersOf(hands.host.workspace, repository)
  const files = await hands.perform(listFiles(mirror, commit))
  const texts = createTexts(hands, mirror, { files, notebookBytes })
  const markers = new Set(scanReads(files.map(({ path }) => path)))
  for (const { path, size } of files) {
    const isConfig = size <= SMALL_BYTES && CONFIG_FILES.has(path.slice(path.lastIndexOf('/') + 1))
    if (isConfig || markers.has(path)) {
      texts.text(path)
    }
  }
  await texts.read()
  const slugs = Object.entries(given).map(([folder, slug]) => [folder === '.' ? '' : folder, slug])
  const scan = scanNotebooks({
    files,
    text: texts.text,
    repositoryName,
    given: Object.fromEntries(slugs),
  })
  return { files, texts, scan }
}

/** The project in a folder: as the scan found it, or, because it was asked for by name, all that lies there. */
export function projectAt(
  { files, scan }: NotebookSource,
  { folder, commit, slug }: { readonly folder: string; readonly commit: string; readonly slug: string },
): NotebookProject {
  const path = checkedPath(folder) === '.' ? '' : folder
  const found = scan.projects.find(project => project.folder === path)
  const problems = [...scan.problems, ...(found?.problems ?? [])]
  if (problems.length > 0) {
    throw NOTEBOOK_REFUSED(slug, problems[0]?.message ?? '').with({ problems })
  }
  if (found) {
    return { ...found, slug }
  }
  const below = path === '' ? '' : `${path}/`
  const others = scan.projects.map(project => `${project.folder}/`).filter(each => each.startsWith(below))
  const own = files
    .filter(file => file.path.startsWith(below) && isShipped(file.path))
    .filter(file => !others.some(other => file.path.startsWith(other)))
    .map(file => ({ ...file, path: file.path.slice(below.length) }))
  if (own.length === 0) {
    throw NOTEBOOK_FOLDER_MISSING(folder, commit)
  }
  return {
    folder: path,
    slug,
    foundBy: 'listed',
    serves: true,
    notebooks: own.map(file => file.path).filter(each => each.endsWith('.ipynb')),
    settings: {},
    files: own,
    contentHash: contentHash(own),
    problems: [],
  }
}

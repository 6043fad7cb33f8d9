import { join, posix } from 'node:path'
import type { FileResult, PackedFile } from '#exec/call.ts'
import { checkedPath } from '#programs/git-names.ts'
import type { TreeFile } from '#recipes/tree.ts'
import type { Hands } from './command.ts'
import { IMAGE_SOURCE_MISSING } from './image-errors.ts'
import type { NotebookWish } from './notebook-data.ts'
import type { Ready } from './notebook-look.ts'
import { checkoutFolder } from './repository-folders.ts'

/** The project's folder among the files of the commit; those of the checkout are what everything is made of. */
export async function projectFolder(
  hands: Hands,
  { repository, commit, folder }: NotebookWish,
): Promise<string> {
  const path = join(checkoutFolder(hands.host.workspace, repository, commit), checkedPath(folder))
  const found = await hands.perform({
    kind: 'file',
    operation: 'stat',
    path,
    read: (result: FileResult) => result,
  })
  if (found.missing || found.kind !== 'folder') {
    throw IMAGE_SOURCE_MISSING(folder, commit)
  }
  return path
}

/** What is shipped, below `to`. */
export function contentFiles({ recipe, ...ready }: Ready, folder: string, to: string): PackedFile[] {
  return recipe.content.files.map(file => packed(ready, file, { from: join(folder, file.path), to }))
}

/** What a recipe finds below deps/ while its steps run. */
export function dependencyFiles({ recipe, ...ready }: Ready, folder: string): PackedFile[] {
  return [
    ...recipe.files.map(({ path, content }) => ({ path: posix.join('deps', path), text: content })),
    ...recipe.folders.flatMap(({ to, files }) =>
      files.map(file => packed(ready, file, { from: join(folder, file.from), to: posix.join('deps', to) })),
    ),
  ]
}

/** Checkouts hold the target of a link as a plain file, so that no program follows one: here they are links again. */
function packed(
  { source, planned: { project } }: Pick<Ready, 'source' | 'planned'>,
  file: TreeFile & { readonly from?: string },
  { from, to }: { readonly from: string; readonly to: string },
): PackedFile {
  const path = posix.join(to, file.path)
  if (file.mode === '120000') {
    return { path, link: source.texts.text(posix.join(project.folder, file.from ?? file.path)) ?? '' }
  }
  return { path, from, isProgram: file.mode === '100755' }
}

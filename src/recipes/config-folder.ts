import { type Diagnostic, Refusal } from './diagnostic.ts'
import { CONFIG_FILES, CONFIG_FOLDERS } from './packs.ts'
import type { ProjectFolder } from './project-folder.ts'
import type { BinderDir } from './strict-reading.ts'

/** Where a project keeps its configuration: its own folder, or binder in it. */
export interface ConfigFolder {
  readonly path: BinderDir
  readonly warnings: readonly Diagnostic[]
  /** The path of a file of the configuration, from the project's folder. */
  place(name: string): string
  has(name: string): boolean
  text(name: string): string
}

/** A folder binder that holds no configuration hides nothing, other than for repo2docker. */
export function configFolderOf(folder: ProjectFolder): ConfigFolder {
  const there = CONFIG_FOLDERS.filter(folder.hasFolder)
  const used = there.filter(path => [...CONFIG_FILES].some(name => folder.has(`${path}/${name}`)))
  if (used.length > 1) {
    throw new Refusal({
      code: 'BINDER_BOTH',
      file: 'binder',
      message: 'There is both a folder binder and a folder .binder.',
      hint: 'Remove one of them.',
    })
  }
  const path = used[0] ?? ''
  const place = (name: string) => (path === '' ? name : `${path}/${name}`)
  return {
    path,
    warnings: there
      .filter(each => each !== path)
      .map(file => ({
        code: 'BINDER_EMPTY',
        file,
        message: `The folder ${file} holds no configuration; the files beside it are used.`,
        hint: 'Remove the folder, or move the configuration into it.',
      })),
    place,
    has: name => folder.has(place(name)),
    text: name => folder.text(place(name)) ?? '',
  }
}

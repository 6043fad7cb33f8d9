import type { Problem } from '#lib/errors.ts'
import { NotebookSettings, RepositoryNotebooks } from './notebook-settings.ts'
import { readSettings } from './read-settings.ts'
import type { ScanInput } from './scan.ts'
import type { TreeFolder } from './tree.ts'

export interface RepositoryFile {
  readonly value: RepositoryNotebooks
  readonly problems: readonly Problem[]
  readonly file: string
  readonly lineOf: (path: readonly (string | number)[]) => number
}

/** notebooks.yaml at the root; nothing in it when it is not there. */
export function readRepositoryFile({ files, text }: Pick<ScanInput, 'files' | 'text'>): RepositoryFile {
  const names = ['notebooks.yaml', 'notebooks.yml']
  const file = names.find(name => files.some(({ path }) => path === name))
  if (file === undefined) {
    return { value: {}, problems: [], file: 'notebooks.yaml', lineOf: () => 1 }
  }
  const { value, problems, placeOf } = readSettings(RepositoryNotebooks, text(file) ?? '', file)
  return { value: value ?? {}, problems, file, lineOf: path => placeOf(path).line }
}

export interface Markers {
  /** By folder. */
  readonly settings: ReadonlyMap<string, NotebookSettings>
  readonly problems: readonly Problem[]
}

/** Every nb.yaml; `enabled: false` hides its folder and all below. */
export function readMarkers(
  folders: ReadonlyMap<string, TreeFolder>,
  text: (path: string) => string | undefined,
): Markers {
  const settings = new Map<string, NotebookSettings>()
  const problems: Problem[] = []
  for (const folder of folders.values()) {
    if (folder.marker === undefined) {
      continue
    }
    const read = readSettings(NotebookSettings, text(folder.marker) ?? '', folder.marker)
    problems.push(...read.problems)
    if (read.value) {
      settings.set(folder.path, read.value)
    }
  }
  return { settings, problems }
}

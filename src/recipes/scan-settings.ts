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
  /** What is wrong with an nb.yaml concerns its folder alone. */
  readonly problems: ReadonlyMap<string, readonly Problem[]>
  /** Where a folder asks for its slug. */
  readonly slugAt: (folder: string) => Pick<Problem, 'file' | 'line'>
}

/** Of a file that cannot be read otherwise: nobody is served what may be meant to be hidden. */
const SWITCHED_OFF = /^enabled:[ \t]*false\b/m

/** Every nb.yaml; `enabled: false` hides its folder and all below. */
export function readMarkers(
  folders: ReadonlyMap<string, TreeFolder>,
  text: (path: string) => string | undefined,
): Markers {
  const settings = new Map<string, NotebookSettings>()
  const problems = new Map<string, readonly Problem[]>()
  const lines = new Map<string, number>()
  for (const { marker, path } of folders.values()) {
    if (marker === undefined) {
      continue
    }
    const written = text(marker) ?? ''
    const read = readSettings(NotebookSettings, written, marker)
    if (read.value) {
      settings.set(path, read.value)
      if (read.value.slug !== undefined) {
        lines.set(path, read.placeOf(['slug']).line)
      }
    } else {
      problems.set(path, read.problems)
      if (SWITCHED_OFF.test(written)) {
        settings.set(path, { enabled: false })
      }
    }
  }
  const slugAt = (folder: string) => {
    const line = lines.get(folder)
    return { file: folders.get(folder)?.marker ?? folder, ...(line === undefined ? {} : { line }) }
  }
  return { settings, problems, slugAt }
}

import type { ConfigTexts, Detected } from './detect.ts'
import type { Diagnostic } from './diagnostic.ts'
import type { ProjectFolder } from './project-folder.ts'
import type { CopyStep, DependencyFile, DependencyFolder, RunStep, Stage, Step } from './recipe.ts'
import type { TreeFile } from './tree.ts'

/** A recipe while it is being written. */
export interface Draft {
  readonly files: DependencyFile[]
  readonly folders: DependencyFolder[]
  readonly environment: DraftStage
  readonly project: DraftStage
  readonly inputs: Set<string>
  /** Each forbids the recipe. */
  readonly findings: Diagnostic[]
  readonly warnings: Diagnostic[]
}

interface DraftStage extends Stage {
  readonly variables: Record<string, string>
  readonly lateVariables: Record<string, string>
  readonly path: string[]
  readonly steps: Step[]
}

/** What the writers of a recipe work on. */
export interface Writing {
  readonly draft: Draft
  readonly detected: Detected
  readonly texts: ConfigTexts
  readonly folder: ProjectFolder
  /** By path, with those that are used from outside the project. */
  readonly tree: ReadonlyMap<string, TreeFile>
  /** Beginnings of addresses that the administrator allows. */
  readonly allowed: readonly string[]
  /** Day of the snapshot of R packages where the project names none. */
  readonly date: string | undefined
}

export function emptyDraft(): Draft {
  const stage = (): DraftStage => ({ variables: {}, lateVariables: {}, path: [], steps: [] })
  return {
    files: [],
    folders: [],
    environment: stage(),
    project: stage(),
    inputs: new Set(),
    findings: [],
    warnings: [],
  }
}

export function copy(from: string, to: string): CopyStep {
  return { kind: 'copy', from, to }
}

export function run(
  what: string,
  programAndArguments: readonly string[],
  more: Partial<Omit<RunStep, 'kind' | 'what' | 'arguments'>> = {},
): RunStep {
  return { kind: 'run', what, arguments: programAndArguments, variables: {}, ...more }
}

/** Files of the project that are copied to `to` below deps/: a file by its name, a folder with all that is in it. */
export function folderOf(
  { tree }: Pick<Writing, 'tree'>,
  to: string,
  paths: readonly string[],
  { keepPaths = false } = {},
): DependencyFolder {
  const files = paths.flatMap(path =>
    [...tree.values()]
      .filter(file => file.path === path || file.path.startsWith(`${path}/`))
      .map(file => {
        const base = keepPaths ? '' : file.path === path ? parentWithSlash(path) : `${path}/`
        return { ...file, from: file.path, path: file.path.slice(base.length) }
      }),
  )
  return { to, files: files.sort((a, b) => (a.path < b.path ? -1 : 1)) }
}

function parentWithSlash(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1)
}

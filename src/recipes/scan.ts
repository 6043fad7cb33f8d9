import type { Problem } from '#lib/errors.ts'
import { chooseProjects, type FoundBy } from './choose-projects.ts'
import { contentHash, isShipped } from './content.ts'
import type { Diagnostic } from './diagnostic.ts'
import { idleOf, type NotebookSettings, type RepositoryNotebooks } from './notebook-settings.ts'
import { parentOf, scanFolders } from './scan-folders.ts'
import { type Markers, readMarkers, readRepositoryFile } from './scan-settings.ts'
import { slugsOf } from './slugs.ts'
import type { TreeFile, TreeFolder } from './tree.ts'

/** One folder that is served, or shown, as a notebook project. */
export interface NotebookProject {
  /** From the root of the repository; empty for the root itself. */
  readonly folder: string
  readonly slug: string
  readonly foundBy: FoundBy
  /** false: only a preview until nb.yaml or notebooks.yaml names the folder, because it was a guess. */
  readonly serves: boolean
  /** From its folder. */
  readonly notebooks: readonly string[]
  readonly settings: NotebookSettings
  /** What is shipped, from its folder: without URL.md, and without the projects inside it. */
  readonly files: readonly TreeFile[]
  /** Of these files. */
  readonly contentHash: string
  /** Of its nb.yaml; with one its settings are not known, and it cannot be served. */
  readonly problems: readonly Problem[]
  /** It asks for a slug that another project has; the one above is what it has meanwhile. */
  readonly doubled?: Problem
}

export interface NotebookScan {
  /** Sorted by folder; empty when there are problems. */
  readonly projects: readonly NotebookProject[]
  readonly repository: RepositoryNotebooks
  /** Of notebooks.yaml, or of all projects together. */
  readonly problems: readonly Problem[]
  readonly notes: readonly Diagnostic[]
}

export interface ScanInput {
  /** All of the commit. */
  readonly files: readonly TreeFile[]
  /** Text of a file that `scanReads` names; undefined when it was not read. */
  readonly text: (path: string) => string | undefined
  readonly repositoryName: string
  /** Slugs by folder, as they were given before. */
  readonly given?: Readonly<Record<string, string>>
}

const MAX_PROJECTS = 500
const MAX_NOTEBOOK_BYTES = 50 * 1024 * 1024
const MAX_PROJECT_BYTES = 2 * 1024 * 1024 * 1024
const MAX_PATH_BYTES = 200

/** The files whose texts a scan needs. */
export function scanReads(paths: readonly string[]): string[] {
  return paths.filter(path => /^(?:notebooks\.ya?ml|\.nbignore)$|(?:^|\/)nb\.ya?ml$/.test(path))
}

/** Which folders of a repository are notebook projects. Pure, and one walk over the files whatever their number. */
export function scanNotebooks(input: ScanInput): NotebookScan {
  const repository = readRepositoryFile(input)
  const ignore = [...(repository.value.exclude ?? []), input.text('.nbignore') ?? ''].join('\n')
  const tree = scanFolders(input.files, ignore)
  const markers = readMarkers(tree.folders, input.text)
  const chosen = chooseProjects(tree.folders, repository, markers.settings)
  const slugs = slugsOf(
    chosen.projects.map(({ folder }) => ({
      folder: folder.path,
      // What cannot be read may ask for the slug that it has; nobody else gets it meanwhile.
      asked: markers.problems.has(folder.path)
        ? input.given?.[folder.path]
        : markers.settings.get(folder.path)?.slug,
    })),
    { rootName: input.repositoryName, ...(input.given ? { given: input.given } : {}) },
  )
  const doubled = new Map(
    slugs.doubled.map(({ folder, slug, holder }) => [
      folder,
      {
        path: 'slug',
        message: `is "${slug}", which ${holder || 'the root'} has too`,
        expected: 'a slug for each project',
        ...markers.slugAt(folder),
      },
    ]),
  )
  const problems = [
    ...repository.problems,
    ...chosen.problems,
    ...(chosen.projects.length > MAX_PROJECTS ? [tooMany(chosen.projects.length)] : []),
  ]
  if (problems.length > 0) {
    return { projects: [], repository: repository.value, problems, notes: chosen.notes }
  }
  const shipped = filesByProject(
    tree,
    new Set(chosen.projects.map(({ folder }) => folder.path)),
    markers.settings,
  )
  const projects = chosen.projects
    .map(({ folder, foundBy, notebooks }): NotebookProject => {
      const files = shipped.get(folder.path) ?? []
      const own = doubled.get(folder.path)
      return {
        folder: folder.path,
        slug: slugs.byFolder.get(folder.path) ?? '',
        foundBy,
        serves: foundBy === 'listed' || foundBy === 'marked' || foundBy === 'configured',
        notebooks: notebooks.map(path => inside(folder.path, path)).sort(),
        settings: withDefaults(repository.value, markers.settings.get(folder.path) ?? {}),
        files,
        contentHash: contentHash(files),
        problems: markers.problems.get(folder.path) ?? [],
        ...(own ? { doubled: own } : {}),
      }
    })
    .sort((a, b) => (a.folder < b.folder ? -1 : 1))
  return {
    projects,
    repository: repository.value,
    problems,
    notes: [...chosen.notes, ...strayNotes(markers, projects), ...projects.flatMap(limitNotes)],
  }
}

/** Of an nb.yaml in a folder that is no project. */
function strayNotes({ problems }: Markers, projects: readonly NotebookProject[]): Diagnostic[] {
  const folders = new Set(projects.map(({ folder }) => folder))
  return [...problems]
    .filter(([folder]) => !folders.has(folder))
    .flatMap(([, all]) => all)
    .map(({ path, message, expected = 'Correct it.', file, line }) => ({
      code: 'SETTINGS_WRONG',
      message: `${path} ${message}`.trim(),
      hint: expected,
      ...(file === undefined ? {} : { file }),
      ...(line === undefined ? {} : { line }),
    }))
}

/** What nb.yaml does not say, notebooks.yaml may say for all. */
function withDefaults({ defaults = {} }: RepositoryNotebooks, own: NotebookSettings): NotebookSettings {
  const merged = { ...defaults, ...own }
  for (const key of ['env', 'run', 'access'] as const) {
    if (defaults[key] && own[key]) {
      Object.assign(merged, { [key]: { ...defaults[key], ...own[key] } })
    }
  }
  const idle = { ...idleOf(defaults.run), ...idleOf(own.run) }
  return Object.keys(idle).length > 0 ? { ...merged, run: { ...merged.run, idle } } : merged
}

function tooMany(count: number): Problem {
  return {
    path: '',
    message: `has ${count} notebook projects`,
    expected: `at most ${MAX_PROJECTS}; list those that are wanted in notebooks.yaml`,
    file: 'notebooks.yaml',
  }
}

function inside(folder: string, path: string): string {
  return folder === '' ? path : path.slice(folder.length + 1)
}

/** Each file goes to the nearest project above it, and to those further up that ship what is nested. */
function filesByProject(
  {
    folders,
    files,
  }: { readonly folders: ReadonlyMap<string, TreeFolder>; readonly files: readonly TreeFile[] },
  projects: ReadonlySet<string>,
  settings: ReadonlyMap<string, NotebookSettings>,
): Map<string, TreeFile[]> {
  const owners = new Map<string, readonly string[]>()
  const ownersOf = (folder: TreeFolder | undefined): readonly string[] => {
    if (!folder) {
      return []
    }
    const known = owners.get(folder.path)
    if (known) {
      return known
    }
    const above = ownersOf(folder.parent)
    const own = projects.has(folder.path)
      ? [folder.path, ...above.filter(path => settings.get(path)?.ship?.nested)]
      : above
    owners.set(folder.path, own)
    return own
  }
  const found = new Map<string, TreeFile[]>()
  for (const file of files) {
    if (!isShipped(file.path)) {
      continue
    }
    for (const owner of ownersOf(folders.get(parentOf(file.path)))) {
      const list = found.get(owner) ?? []
      found.set(owner, list)
      list.push({ ...file, path: inside(owner, file.path) })
    }
  }
  return found
}

function limitNotes({ folder, files }: NotebookProject): Diagnostic[] {
  const place = (path: string) => (folder === '' ? path : `${folder}/${path}`)
  const notes: Diagnostic[] = []
  for (const { path, size = 0, mode } of files) {
    const file = place(path)
    if (path.endsWith('.ipynb') && size > MAX_NOTEBOOK_BYTES) {
      const hint = 'Clear its outputs, or keep large data outside the notebook.'
      notes.push({ code: 'NOTEBOOK_LARGE', file, message: 'It is larger than 50 MiB.', hint })
    }
    if (Buffer.byteLength(file) > MAX_PATH_BYTES) {
      notes.push({
        code: 'PATH_LONG',
        file,
        message: 'Its path is longer than 200 bytes.',
        hint: 'Shorten it.',
      })
    }
    if (mode === '160000') {
      const hint = 'Copy the files into the project; submodules are not fetched.'
      notes.push({ code: 'SUBMODULE', file, message: 'It is a submodule and will be empty.', hint })
    }
  }
  if (files.reduce((sum, { size = 0 }) => sum + size, 0) > MAX_PROJECT_BYTES) {
    const hint = 'Keep data outside the repository, or leave it out with .dockerignore.'
    notes.push({ code: 'PROJECT_LARGE', file: folder || '.', message: 'It is larger than 2 GiB.', hint })
  }
  return notes
}

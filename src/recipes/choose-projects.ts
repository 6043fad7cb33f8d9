import { compileGlob, isPlain } from '#formats/docker-glob.ts'
import type { Problem } from '#lib/errors.ts'
import type { Diagnostic } from './diagnostic.ts'
import type { NotebookSettings } from './notebook-settings.ts'
import { CONFIG_FOLDERS } from './packs.ts'
import type { RepositoryFile } from './scan-settings.ts'
import type { TreeFolder } from './tree.ts'

/**
 * Why a folder is a project: notebooks.yaml lists it, nb.yaml marks it, it has notebooks and says what they need, the
 * notebooks below share what it says, or nothing says anything and it is a folder at the top.
 */
export type FoundBy = 'listed' | 'marked' | 'configured' | 'shared' | 'guessed'

interface Chosen {
  readonly folder: TreeFolder
  readonly foundBy: FoundBy
  /** From the root of the repository. */
  readonly notebooks: readonly string[]
}

interface ChosenProjects {
  readonly projects: readonly Chosen[]
  readonly problems: readonly Problem[]
  readonly notes: readonly Diagnostic[]
}

type Folders = ReadonlyMap<string, TreeFolder>

/** More projects than these are not made from a guess. */
const MAX_GUESSED = 50

export function chooseProjects(
  folders: Folders,
  repository: RepositoryFile,
  settings: ReadonlyMap<string, NotebookSettings>,
): ChosenProjects {
  hide(folders, settings, { isListed: repository.value.projects !== undefined })
  const listed = repository.value.projects && listProjects(folders, repository, repository.value.projects)
  const chosen = listed ? listed.found : findProjects(folders)
  const { notebooks, left } = assign(folders, chosen)
  const complete = (found: ReadonlyMap<string, FoundBy>): Chosen[] =>
    [...found].flatMap(([path, foundBy]) => {
      const folder = folders.get(path)
      return folder ? [{ folder, foundBy, notebooks: notebooks.get(path) ?? [] }] : []
    })
  if (chosen.size > 0 || listed) {
    return { projects: complete(chosen), problems: listed?.problems ?? [], notes: leftNotes(left) }
  }
  return guess(folders, left)
}

/**
 * `enabled: false` holds for all that is below. Tests and documentation of a package are no projects unless they are
 * marked or listed.
 */
function hide(
  folders: Folders,
  settings: ReadonlyMap<string, NotebookSettings>,
  { isListed }: { readonly isListed: boolean },
): void {
  const off = new Set<string>()
  // A folder stands in the map after the one that holds it.
  for (const folder of folders.values()) {
    const { marker, parent, path } = folder
    const isOff = settings.get(path)?.enabled === false || (parent !== undefined && off.has(parent.path))
    if (isOff) {
      off.add(path)
    }
    const isAside = folder.isBesidePackage || parent?.isHidden === true
    folder.isHidden = isOff || (isAside && marker === undefined && !isListed)
  }
}

function listProjects(
  folders: Folders,
  { file, lineOf }: RepositoryFile,
  patterns: readonly string[],
): { readonly found: Map<string, FoundBy>; readonly problems: readonly Problem[] } {
  const withNotebooks = foldersWithNotebooks(folders)
  const found = new Map<string, FoundBy>()
  const problems: Problem[] = []
  for (const [index, written] of patterns.entries()) {
    const pattern = written.replace(/^\.\/(?=.)|\/+$/g, '').replace(/^\.$/, '')
    const matching = isPlain(pattern)
      ? [folders.get(pattern)].filter(folder => folder && withNotebooks.has(folder.path))
      : matchingFolders(folders, pattern)
    if (matching.length === 0) {
      problems.push({
        path: `projects.${index}`,
        message: `matches no folder with a notebook: ${JSON.stringify(written)}`,
        expected: 'a folder, or a pattern such as "courses/*", from the root of the repository',
        file,
        line: lineOf(['projects', index]),
      })
    }
    for (const folder of matching) {
      if (folder && !folder.isHidden) {
        found.set(folder.path, 'listed')
      }
    }
  }
  return { found, problems }
}

/** A pattern means folders that hold notebooks themselves, or a marker: not those in which their data lies. */
function matchingFolders(folders: Folders, pattern: string): TreeFolder[] {
  const glob = compileGlob(pattern)
  return [...folders.values()].filter(
    folder => (folder.notebooks.length > 0 || folder.marker !== undefined) && glob?.matches(folder.path),
  )
}

function foldersWithNotebooks(folders: Folders): ReadonlySet<string> {
  const found = new Set<string>()
  for (const folder of folders.values()) {
    if (folder.notebooks.length > 0) {
      for (let each: TreeFolder | undefined = folder; each && !found.has(each.path); each = each.parent) {
        found.add(each.path)
      }
    }
  }
  return found
}

function findProjects(folders: Folders): Map<string, FoundBy> {
  const found = new Map<string, FoundBy>()
  for (const folder of folders.values()) {
    if (folder.isHidden || isConfigFolder(folder)) {
      continue
    }
    if (folder.marker !== undefined) {
      found.set(folder.path, 'marked')
    } else if (folder.notebooks.length > 0 && folder.isConfigured) {
      found.set(folder.path, 'configured')
    }
  }
  for (const folder of folders.values()) {
    if (folder.notebooks.length > 0 && !folder.isHidden) {
      const owner = nearest(
        folder,
        each => found.has(each.path) || (each.isConfigured && !isConfigFolder(each)),
      )
      if (owner && !found.has(owner.path)) {
        found.set(owner.path, 'shared')
      }
    }
  }
  return found
}

function isConfigFolder(folder: TreeFolder): boolean {
  return CONFIG_FOLDERS.some(name => folder.path === name || folder.path.endsWith(`/${name}`))
}

function nearest(folder: TreeFolder, fits: (folder: TreeFolder) => boolean): TreeFolder | undefined {
  for (let each: TreeFolder | undefined = folder; each; each = each.parent) {
    if (fits(each)) {
      return each
    }
  }
  return undefined
}

interface Assigned {
  readonly notebooks: ReadonlyMap<string, string[]>
  /** Notebooks that no project has. */
  readonly left: readonly string[]
}

function assign(folders: Folders, projects: ReadonlyMap<string, FoundBy>): Assigned {
  const notebooks = new Map<string, string[]>()
  const left: string[] = []
  for (const folder of folders.values()) {
    if (folder.notebooks.length === 0 || folder.isHidden) {
      continue
    }
    const owner = nearest(folder, each => projects.has(each.path))
    const list = owner ? (notebooks.get(owner.path) ?? []) : left
    if (owner) {
      notebooks.set(owner.path, list)
    }
    list.push(...folder.notebooks)
  }
  return { notebooks, left }
}

function leftNotes(left: readonly string[]): Diagnostic[] {
  const [first] = left
  return first === undefined
    ? []
    : [
        {
          code: 'NO_PROJECT',
          file: first,
          message: `${left.length === 1 ? 'It belongs' : `It and ${left.length - 1} more notebooks belong`} to no project.`,
          hint: 'Put a file nb.yaml, which may be empty, into a folder that is to be served.',
        },
      ]
}

/** No file says anything about what notebooks need: the folders at the top. */
function guess(folders: Folders, left: readonly string[]): ChosenProjects {
  const byTop = new Map<string, string[]>()
  for (const path of left) {
    const top = path.includes('/') ? path.slice(0, path.indexOf('/')) : ''
    const list = byTop.get(top) ?? []
    byTop.set(top, list)
    list.push(path)
  }
  if (byTop.size > MAX_GUESSED) {
    const message = `is not there, and ${byTop.size} folders hold notebooks`
    const expected = 'a list of the projects'
    return {
      projects: [],
      problems: [{ path: 'projects', message, expected, file: 'notebooks.yaml' }],
      notes: [],
    }
  }
  const projects = [...byTop].flatMap(([path, notebooks]) => {
    const folder = folders.get(path)
    return folder ? [{ folder, foundBy: 'guessed' as const, notebooks }] : []
  })
  const hint = 'Add requirements.txt or environment.yml, or an empty nb.yaml.'
  const notes = projects.map(({ folder }) => ({
    code: 'NO_ENV',
    file: folder.path || '.',
    message: 'No file says what its notebooks need; only a preview is made.',
    hint,
  }))
  return { projects, problems: [], notes }
}

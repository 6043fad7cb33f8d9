import { parseDockerIgnore } from '#formats/docker-ignore.ts'
import { keptOfContext } from '#formats/kept-of-context.ts'
import { CONFIG_FOLDERS, DEPENDENCY_FILES } from './packs.ts'
import type { TreeFile, TreeFolder } from './tree.ts'

export interface ScannedTree {
  /** By path; the root is ''. */
  readonly folders: ReadonlyMap<string, TreeFolder>
  /** Files that are not ignored. */
  readonly files: readonly TreeFile[]
}

const MARKERS = ['nb.yaml', 'nb.yml']
const IGNORED = new Set(['node_modules', 'venv', 'site-packages', '__pycache__'])
const CONFIG = new Set<string>(CONFIG_FOLDERS)
/** Below a package these hold no projects. */
const BESIDE_A_PACKAGE = new Set(['tests', 'test', 'docs', 'doc'])
const PACKAGE_FILES = ['setup.py', 'setup.cfg', 'pyproject.toml']

/** Every folder with what makes it a project, in one walk over the files. `ignore` are patterns as in .dockerignore. */
export function scanFolders(files: readonly TreeFile[], ignore: string): ScannedTree {
  const found = keptFiles(files, ignore)
  const folders = new Map<string, TreeFolder>()
  const paths = new Set(found.map(({ path }) => path))
  for (const { path, mode } of found) {
    const folder = folderAt(folders, parentOf(path), paths)
    const name = path.slice(path.lastIndexOf('/') + 1)
    const place = CONFIG.has(nameOf(folder.path)) ? folder.parent : folder
    if (mode === '160000') {
      continue
    }
    if (name.endsWith('.ipynb') && mode !== '120000') {
      folder.notebooks.push(path)
    }
    if (MARKERS.includes(name) && (folder.marker === undefined || name === MARKERS[0])) {
      folder.marker = path
    }
    if (place && (DEPENDENCY_FILES.has(name) || place !== folder)) {
      place.isConfigured = true
    }
  }
  return { folders, files: found }
}

export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash < 0 ? '' : path.slice(0, slash)
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

function keptFiles(files: readonly TreeFile[], ignore: string): readonly TreeFile[] {
  const own = new Map<string, boolean>()
  const isIgnoredFolder = (path: string): boolean => {
    const known = own.get(path)
    if (known !== undefined || path === '') {
      return known ?? false
    }
    const name = nameOf(path)
    const isDotted = name.startsWith('.') && !CONFIG.has(name)
    const answer = isDotted || IGNORED.has(name) || name.includes('{{') || isIgnoredFolder(parentOf(path))
    own.set(path, answer)
    return answer
  }
  const plain = files.filter(({ path }) => !isIgnoredFolder(parentOf(path)))
  if (ignore.trim() === '') {
    return plain
  }
  const kept = keptOfContext(
    plain.map(({ path }) => path),
    { ignore: parseDockerIgnore(ignore), dockerfile: '' },
  )
  return plain.filter(({ path }) => kept.has(path))
}

function folderAt(folders: Map<string, TreeFolder>, path: string, paths: ReadonlySet<string>): TreeFolder {
  const known = folders.get(path)
  if (known) {
    return known
  }
  const parent = path === '' ? undefined : folderAt(folders, parentOf(path), paths)
  const above = parent?.path ?? ''
  const isBesidePackage =
    path !== '' &&
    BESIDE_A_PACKAGE.has(nameOf(path)) &&
    PACKAGE_FILES.some(file => paths.has(above === '' ? file : `${above}/${file}`))
  const folder: TreeFolder = {
    path,
    parent,
    notebooks: [],
    isConfigured: false,
    isBesidePackage,
    isHidden: false,
  }
  folders.set(path, folder)
  return folder
}

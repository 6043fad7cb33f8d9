import { posix } from 'node:path'
import { createProjectFolder, type ProjectFolder } from './project-folder.ts'
import type { NotebookProject } from './scan.ts'
import type { TreeFile } from './tree.ts'

export interface OpenProject {
  readonly folder: ProjectFolder
  /** By paths from the project's folder; what nb.yaml includes from outside begins with ../ */
  readonly files: readonly TreeFile[]
}

/**
 * The files of a project as its recipe sees them; `text` is asked by paths from the root of the repository. What it says
 * of a link is where that leads, as Git has it: the file there is read, when it is one of the repository.
 */
export function openProject(
  project: Pick<NotebookProject, 'folder' | 'files' | 'settings'>,
  all: readonly TreeFile[],
  text: (path: string) => string | undefined,
): OpenProject {
  const included = (project.settings.env?.include ?? []).flatMap(include => {
    const place = posix.join(project.folder, include)
    return all
      .filter(({ path }) => path === place || path.startsWith(`${place}/`))
      .map(file => ({ ...file, path: posix.relative(project.folder, file.path) }))
      .filter(({ path }) => path.startsWith('../'))
  })
  const files = [...project.files, ...included]
  const links = new Set(all.filter(({ mode }) => mode === '120000').map(({ path }) => path))
  return {
    files,
    folder: createProjectFolder(
      files.map(({ path }) => path),
      path => text(linkedFile(posix.join(project.folder, path), links, text)),
    ),
  }
}

const MAX_LINKS = 5

/** Where a path leads when links are followed; a link that leads out of the repository, or round, leads to no file. */
function linkedFile(
  path: string,
  links: ReadonlySet<string>,
  text: (path: string) => string | undefined,
): string {
  let place = path
  for (let hop = 0; links.has(place); hop++) {
    const target = text(place) ?? ''
    const next = posix.join(posix.dirname(place), target)
    if (target === '' || target.startsWith('/') || next.startsWith('../') || hop === MAX_LINKS) {
      return ''
    }
    place = next
  }
  return place
}

import { posix } from 'node:path'
import { createProjectFolder, type ProjectFolder } from './project-folder.ts'
import type { NotebookProject } from './scan.ts'
import type { TreeFile } from './tree.ts'

export interface OpenProject {
  readonly folder: ProjectFolder
  /** By paths from the project's folder; what nb.yaml includes from outside begins with ../ */
  readonly files: readonly TreeFile[]
}

/** The files of a project as its recipe sees them; `text` is asked by paths from the root of the repository. */
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
  return {
    files,
    folder: createProjectFolder(
      files.map(({ path }) => path),
      path => text(posix.join(project.folder, path)),
    ),
  }
}

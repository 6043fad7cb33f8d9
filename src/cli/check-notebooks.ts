import type { Problem } from '#lib/errors.ts'
import type { Diagnostic } from '#recipes/diagnostic.ts'
import { openProject } from '#recipes/open-project.ts'
import { planRecipe } from '#recipes/plan-recipe.ts'
import { type NotebookProject, scanNotebooks } from '#recipes/scan.ts'
import type { DeployFolder } from './deploy-folder.ts'

export interface CheckedNotebooks {
  readonly projects: readonly CheckedProject[]
  /** Of nb.yaml and notebooks.yaml. */
  readonly problems: readonly Problem[]
  readonly notes: readonly Diagnostic[]
}

interface CheckedProject {
  readonly folder: string
  readonly slug: string
  readonly notebooks: number
  /** false: only a preview, because no file names the folder as a project. */
  readonly serves: boolean
  /** pip, conda, …; absent when there is no recipe. */
  readonly environment?: string
  /** `python 3.12`, as far as the project asks for it. */
  readonly kernel?: string
  /** What forbids an image of it. */
  readonly refused: readonly Diagnostic[]
  readonly warnings: readonly Diagnostic[]
}

/** Which folders are notebook projects, and what their files ask for; no base image is known here. */
export function checkNotebooks(folder: DeployFolder): CheckedNotebooks {
  const files = folder.paths.map(path => ({ path, mode: '100644', oid: '' }))
  const scan = scanNotebooks({ files, text: path => folder.text(path), repositoryName: folder.name })
  return {
    projects: scan.projects.map(project => checkProject(project, files, folder)),
    problems: scan.problems,
    notes: scan.notes,
  }
}

function checkProject(
  project: NotebookProject,
  all: Parameters<typeof openProject>[1],
  { text }: DeployFolder,
): CheckedProject {
  const recipe = planRecipe({
    ...openProject(project, all, text),
    settings: project.settings,
    bases: 'unknown',
  })
  const { folder, slug, notebooks, serves } = project
  const found = { folder: folder || '.', slug, notebooks: notebooks.length, serves }
  if ('refused' in recipe) {
    return { ...found, refused: recipe.refused, warnings: [] }
  }
  const { pack, language, versions, warnings } = recipe
  const version = versions[language]
  return {
    ...found,
    environment: pack,
    ...(pack === 'docker' ? {} : { kernel: version === undefined ? language : `${language} ${version}` }),
    refused: [],
    warnings,
  }
}

import type { Problem } from '#lib/errors.ts'
import type { Diagnostic } from '#recipes/diagnostic.ts'
import { openProject } from '#recipes/open-project.ts'
import { planRecipe } from '#recipes/plan-recipe.ts'
import { recipeKeys } from '#recipes/recipe-keys.ts'
import { type NotebookProject, scanNotebooks } from '#recipes/scan.ts'
import { settingsFindings } from '#recipes/settings-findings.ts'
import type { DeployFolder } from './deploy-folder.ts'

/** Of a server whose project says nothing. */
const USUAL_MEMORY = '1g'

export interface CheckedNotebooks {
  readonly projects: readonly CheckedProject[]
  /** Of nb.yaml and notebooks.yaml. */
  readonly problems: readonly Problem[]
  readonly notes: readonly Diagnostic[]
  /** What a push would make of them. */
  readonly would: {
    readonly servers: number
    /** That have to be built; those of equal projects are one. */
    readonly environments: number
    /** When all are awake. */
    readonly memory_bytes: number
  }
}

interface CheckedProject {
  readonly folder: string
  readonly slug: string
  readonly notebooks: number
  /** false: only a preview, because no file names the folder as a project, or its own wants no more. */
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
  const checked = scan.projects
    .filter(({ problems }) => problems.length === 0)
    .map(project => ({ project, ...checkProject(project, files, folder) }))
  const served = checked.filter(({ shown: { serves, refused } }) => serves && refused.length === 0)
  return {
    projects: checked.map(({ shown }) => shown),
    would: {
      servers: served.length,
      environments: new Set(served.flatMap(({ environment }) => environment ?? [])).size,
      memory_bytes: served.reduce((sum, { project }) => sum + memoryOf(project), 0),
    },
    problems: [
      ...scan.problems,
      ...scan.projects.flatMap(({ problems, doubled }) => [...problems, ...(doubled ? [doubled] : [])]),
    ],
    notes: scan.notes,
  }
}

function checkProject(
  project: NotebookProject,
  all: Parameters<typeof openProject>[1],
  { text }: DeployFolder,
): { readonly shown: CheckedProject; readonly environment?: string } {
  const recipe = planRecipe({
    ...openProject(project, all, text),
    settings: project.settings,
    bases: 'unknown',
  })
  const { folder, slug, notebooks, settings } = project
  const serves = project.serves && settings.mode !== 'static'
  const found = { folder: folder || '.', slug, notebooks: notebooks.length, serves }
  const said = settingsFindings(project, text)
  if ('refused' in recipe || said.problems.length > 0) {
    const refused = [...said.problems, ...('refused' in recipe ? recipe.refused : [])]
    return { shown: { ...found, refused, warnings: said.warnings } }
  }
  const { pack, language, versions, warnings } = recipe
  const version = versions[language]
  const { isBaseEnough, environment: key } = recipeKeys(recipe)
  const shown = {
    ...found,
    environment: pack,
    ...(pack === 'docker' ? {} : { kernel: version === undefined ? language : `${language} ${version}` }),
    refused: [],
    warnings: [...said.warnings, ...warnings],
  }
  // No two have a Dockerfile of their own in common.
  const environment = pack === 'docker' ? `${key} ${slug}` : key
  return { shown, ...(isBaseEnough ? {} : { environment }) }
}

function memoryOf(project: NotebookProject): number {
  const { memory = USUAL_MEMORY } = project.settings.run ?? {}
  return Number.parseInt(memory, 10) * 1024 ** ('kmgt'.indexOf(memory.slice(-1)) + 1)
}

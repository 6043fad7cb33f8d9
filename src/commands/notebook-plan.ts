import { posix } from 'node:path'
import type { CommitFile } from '#programs/git-files.ts'
import type { Diagnostic } from '#recipes/diagnostic.ts'
import type { NotebookSettings } from '#recipes/notebook-settings.ts'
import { openProject } from '#recipes/open-project.ts'
import { planRecipe } from '#recipes/plan-recipe.ts'
import type { Recipe } from '#recipes/recipe.ts'
import { type RecipeKeys, recipeKeys } from '#recipes/recipe-keys.ts'
import type { NotebookProject } from '#recipes/scan.ts'
import { settingsFindings } from '#recipes/settings-findings.ts'
import type { NotebookBase } from './notebook-data.ts'
import { LARGEST_TEXT_BYTES, type Texts } from './notebook-texts.ts'

export interface Planned {
  readonly project: NotebookProject
  /** Absent when there are problems. */
  readonly recipe?: Recipe
  readonly keys?: RecipeKeys
  readonly problems: readonly Diagnostic[]
  /** Of its settings; those of its recipe are there. */
  readonly warnings: readonly Diagnostic[]
}

export interface PlanWish {
  readonly files: readonly CommitFile[]
  readonly texts: Texts
  readonly bases: readonly NotebookBase[]
  readonly allowed?: readonly string[] | undefined
  readonly date?: string | undefined
}

const MAX_PROJECT_BYTES = 2 * 1024 * 1024 * 1024

/** Plans of projects, in rounds: whoever asked for a text that was not read is planned again when it is. */
export async function planProjects(
  projects: readonly NotebookProject[],
  wish: PlanWish,
): Promise<readonly Planned[]> {
  const { texts } = wish
  const planned = new Map<string, Planned>()
  let left = projects
  while (left.length > 0) {
    const again: NotebookProject[] = []
    for (const project of left) {
      const before = texts.wanted()
      planned.set(project.folder, plan(project, wish))
      if (texts.wanted() > before) {
        again.push(project)
      }
    }
    await texts.read()
    left = again
  }
  return projects.map(({ folder }) => planned.get(folder)).filter(each => each !== undefined)
}

function plan(project: NotebookProject, { files, texts, bases, allowed, date }: PlanWish): Planned {
  const place = (path: string) => posix.join(project.folder, path)
  const asked = new Set<string>()
  const opened = openProject(project, files, path => {
    asked.add(path)
    return texts.text(path)
  })
  const recipe = planRecipe({
    ...opened,
    settings: project.settings,
    bases,
    ...(allowed ? { allowedSources: allowed } : {}),
    ...(date === undefined ? {} : { date }),
  })
  const unread = [...asked].filter(path => texts.tooLarge.has(path)).map(largeFinding)
  const said = settingsFindings(project, texts.text)
  const found = { project, warnings: said.warnings }
  if ('refused' in recipe) {
    return { ...found, problems: [...said.problems, ...unread, ...recipe.refused] }
  }
  const shipped = shippedProblems(recipe, path => texts.text(place(path)))
  const problems = [...said.problems, ...unread, ...shipped]
  return problems.length > 0
    ? { ...found, problems }
    : { ...found, recipe, keys: recipeKeys(recipe), problems }
}

function largeFinding(file: string): Diagnostic {
  const hint = 'List what is needed in a smaller file.'
  return { code: 'FILE_LARGE', file, message: `It is larger than ${LARGEST_TEXT_BYTES >> 20} MiB.`, hint }
}

/** What may not be in an image: what is not there after all, and what leads out of it. */
function shippedProblems(
  { content: { files } }: Recipe,
  text: (path: string) => string | undefined,
): Diagnostic[] {
  const problems: Diagnostic[] = []
  for (const { path, mode } of files) {
    if (mode === '160000') {
      const hint = 'Copy the files into the project; submodules are not fetched.'
      problems.push({ code: 'SUBMODULE', file: path, message: 'It is a submodule.', hint })
    } else if (mode === '120000' && leadsOut(path, text(path) ?? '')) {
      const hint = 'Put the file itself into the project.'
      problems.push({ code: 'LINK_ESCAPES', file: path, message: 'It is a link out of the project.', hint })
    }
  }
  const bytes = files.reduce((sum, { size = 0 }) => sum + size, 0)
  if (bytes > MAX_PROJECT_BYTES) {
    const hint = 'Keep data outside the repository, or leave it out with .dockerignore.'
    problems.push({ code: 'PROJECT_LARGE', message: 'Its files are larger than 2 GiB.', hint })
  }
  return problems
}

function leadsOut(path: string, target: string): boolean {
  const to = posix.join(posix.dirname(path), target)
  return posix.isAbsolute(target) || to === '..' || to.startsWith('../')
}

/** What a deploy file says of a project wins over nb.yaml. */
export function withSettings(project: NotebookProject, given: NotebookSettings | undefined): NotebookProject {
  if (!given) {
    return project
  }
  const settings = { ...project.settings, ...given }
  for (const key of ['env', 'build', 'run', 'access'] as const) {
    if (project.settings[key] && given[key]) {
      Object.assign(settings, { [key]: { ...project.settings[key], ...given[key] } })
    }
  }
  return { ...project, settings }
}

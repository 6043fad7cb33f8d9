import { posix } from 'node:path'
import type { Static } from 'typebox'
import type { Diagnostic } from '#recipes/diagnostic.ts'
import { entryOf, notebookTitle } from '#recipes/notebook-title.ts'
import type { Recipe } from '#recipes/recipe.ts'
import type { RecipeKeys } from '#recipes/recipe-keys.ts'
import { renderRecipe } from '#recipes/render-recipe.ts'
import type { Hands } from './command.ts'
import type { NotebookExamined, NotebookWish } from './notebook-data.ts'
import { NOTEBOOK_REFUSED } from './notebook-errors.ts'
import {
  cachesOf,
  lookForContent,
  lookForEnvironment,
  type NotebookNames,
  namesOf,
} from './notebook-images.ts'
import { type Planned, planProjects, withSettings } from './notebook-plan.ts'
import type { NotebookFound, NotebookScanData, NotebookScanned } from './notebook-scan-data.ts'
import { type NotebookShown, shownProjects, wrongWith } from './notebook-shown.ts'
import { type NotebookSource, projectAt, readNotebooks } from './notebook-source.ts'

const MIB = 1024 * 1024
const LARGEST_NOTEBOOK = 10 * MIB
/** Where there are many, a large notebook is not read only to know its language. */
const LARGEST_OF_MANY = MIB
const MOST_FINDINGS = 20

/** All projects of a commit with the keys of their images. */
export async function scanCommit(hands: Hands, data: NotebookScanData): Promise<NotebookScanned> {
  const source = await readNotebooks(hands, { ...data, notebookBytes: LARGEST_OF_MANY })
  const { scan } = source
  const planned = data.bases
    ? await planProjects(scan.projects, { ...source, ...data, bases: data.bases })
    : scan.projects.map((project): Planned => ({ project, problems: [], warnings: [] }))
  const { problems, notes } = scan
  const shown = await shownProjects(scan.projects, source.texts)
  return {
    projects: planned.map(each => foundOf(each, shown.get(each.project.folder))),
    problems: [...problems],
    notes: notes.slice(0, 100).map(plain),
  }
}

function foundOf(
  { project, recipe, keys, problems }: Planned,
  shown: NotebookShown | undefined,
): Static<typeof NotebookFound> {
  const { folder, slug, serves, notebooks, settings } = project
  const wrong = wrongWith(project)
  return {
    slug,
    folder: folder || '.',
    title: settings.title ?? (posix.basename(folder) || slug),
    serves,
    notebooks: notebooks.length,
    entry: entryOf(notebooks, settings.entry) ?? null,
    settings,
    contentHash: project.contentHash,
    ...(keys ? { environment: keys.isBaseEnough ? keys.base : keys.environment, content: keys.content } : {}),
    ...(recipe ? { pack: recipe.pack, language: recipe.language } : {}),
    problems: problems.slice(0, MOST_FINDINGS).map(plain),
    ...(wrong.length > 0 ? { wrong } : {}),
    ...(shown ? { shown } : {}),
  }
}

/** A project with its recipe, ready to be built. */
export interface Ready {
  readonly source: NotebookSource
  readonly planned: Planned
  readonly recipe: Recipe
  readonly keys: RecipeKeys
  readonly names: NotebookNames
}

/** The project of a folder with its recipe; NOTEBOOK_REFUSED with all problems when there is none. */
export async function readyProject(hands: Hands, data: NotebookWish): Promise<Ready> {
  const { source, planned } = await planOne(hands, data)
  const { recipe, keys, problems } = planned
  if (!recipe || !keys) {
    const asProblem = ({ file, line, message, hint }: Diagnostic) => ({
      path: '',
      message,
      expected: hint,
      ...(file === undefined ? {} : { file: posix.join(data.folder, file) }),
      ...(line === undefined ? {} : { line }),
    })
    const { file = '', message = '' } = problems[0] ?? {}
    const first = file === '' ? message : `${file}: ${message}`
    throw NOTEBOOK_REFUSED(data.slug, first).with({ problems: problems.map(asProblem) })
  }
  return { source, planned, recipe, keys, names: namesOf(data, { keys, base: recipe.base }) }
}

async function planOne(
  hands: Hands,
  data: NotebookWish,
): Promise<{ source: NotebookSource; planned: Planned }> {
  const { repository, commit, slug } = data
  const source = await readNotebooks(hands, {
    repository,
    commit,
    repositoryName: slug,
    notebookBytes: LARGEST_NOTEBOOK,
  })
  const project = withSettings(projectAt(source, data), data.settings)
  const [planned] = await planProjects([project], { ...source, ...data })
  return { source, planned: planned as Planned }
}

/** What the images of a project would be made of, and which are there. */
export async function examineProject(hands: Hands, data: NotebookWish): Promise<NotebookExamined> {
  const { source, planned } = await planOne(hands, data)
  const { recipe, keys, problems, project } = planned
  const { slug, settings } = project
  const { texts } = source
  const names = recipe && keys ? namesOf(data, { keys, base: recipe.base }) : undefined
  const entry = entryOf(project.notebooks, settings.entry)
  const place = (path: string) => posix.join(project.folder, path)
  const pointers = project.files.filter(({ size = 0 }) => size > 99 && size < 251).slice(0, 2_000)
  for (const { path } of pointers) {
    texts.text(place(path))
  }
  if (entry !== undefined) {
    texts.text(place(entry))
  }
  const [environment, content] = await Promise.all([
    names && lookForEnvironment(hands, names.environment, data.registry),
    names && lookForContent(hands, names.content, data.registry),
    texts.read(),
  ])
  const title = settings.title ?? notebookTitle(entry === undefined ? '' : (texts.text(place(entry)) ?? ''))
  const lfs = pointers.filter(({ path }) => isPointer(texts.text(place(path)))).map(({ path }) => path)
  const warnings = [...planned.warnings, ...(recipe?.warnings ?? []), ...lfs.map(pointerFinding)]
  for (const { file = '', line, message } of warnings.slice(0, MOST_FINDINGS)) {
    hands.say(`${[posix.join(project.folder, file), line].filter(Boolean).join(':')}: ${message}`, 'info')
  }
  return {
    slug,
    title: title ?? (posix.basename(project.folder) || slug),
    notebooks: project.notebooks.slice(0, 1_000),
    entry: entry ?? null,
    language: recipe?.language ?? 'python',
    pack: recipe?.pack ?? 'none',
    versions: recipe?.versions ?? {},
    settings,
    warnings: warnings.slice(0, MOST_FINDINGS).map(plain),
    problems: problems.slice(0, MOST_FINDINGS).map(plain),
    inputs: [...(recipe?.inputs ?? [])].slice(0, 1_000),
    isAppendable: keys?.isAppendable ?? false,
    dockerfile: recipe && recipe.pack !== 'docker' ? renderRecipe(recipe, 'buildkit', cachesOf(data)) : '',
    ...(environment ? { environment } : {}),
    ...(content ? { content } : {}),
  }
}

function isPointer(text: string | undefined): boolean {
  return text?.startsWith('version https://git-lfs.github.com/spec/') ?? false
}

function pointerFinding(file: string): Diagnostic {
  const hint = 'Commit the file itself, or fetch it in postBuild; Git LFS is not asked.'
  return {
    code: 'LFS_POINTER',
    file,
    message: 'It is a pointer of Git LFS: the image has no more of it.',
    hint,
  }
}

/** Cut: a file of a repository decides about parts of it. */
function plain({ code, message, hint, file, line }: Diagnostic): Diagnostic {
  const cut = (text: string) => text.slice(0, 400)
  return {
    code,
    message: cut(message),
    hint: cut(hint),
    ...(file === undefined ? {} : { file: cut(file) }),
    ...(line === undefined ? {} : { line }),
  }
}

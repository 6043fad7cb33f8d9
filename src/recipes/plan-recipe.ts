import { parseDockerIgnore } from '#formats/docker-ignore.ts'
import { keptOfContext } from '#formats/kept-of-context.ts'
import { readAptList } from './apt-list.ts'
import { chooseBase, type RecipeBase } from './bases.ts'
import { isShipped } from './content.ts'
import { type Detected, detectProject } from './detect.ts'
import { type Diagnostic, refusable } from './diagnostic.ts'
import { copy, type Draft, emptyDraft, folderOf, run, type Writing } from './draft.ts'
import type { NotebookSettings } from './notebook-settings.ts'
import type { ProjectFolder } from './project-folder.ts'
import { writePython, writeSecondaryPython } from './python-project.ts'
import { PROJECT, type Recipe } from './recipe.ts'
import type { TreeFile } from './tree.ts'
import { writeConda } from './write-conda.ts'
import { writeJulia } from './write-julia.ts'
import { writePipfile } from './write-pipfile.ts'
import { writeR } from './write-r.ts'
import { writeUv } from './write-uv.ts'

export interface RecipeInput {
  /** With the files outside of it that nb.yaml includes, as ../… */
  readonly folder: ProjectFolder
  /** The same files. */
  readonly files: readonly TreeFile[]
  readonly settings: NotebookSettings
  /** Unknown: for a look at what the files ask for; nothing can be built from such a recipe. */
  readonly bases: readonly RecipeBase[] | 'unknown'
  /** Beginnings of addresses that the administrator allows though they are inside, or unprotected. */
  readonly allowedSources?: readonly string[]
  /** Day whose R packages are taken where the project names none; the administrator's. */
  readonly date?: string
}

/** The recipe of a project, or all that forbids it. The same input gives the same recipe. */
export function planRecipe(input: RecipeInput): Recipe | { readonly refused: readonly Diagnostic[] } {
  const detected = detectProject(input.folder, input.settings)
  if ('refused' in detected) {
    return { refused: [detected.refused] }
  }
  const draft = emptyDraft()
  const recipe = refusable(() => write(input, detected, draft))
  const refused = [...draft.findings, ...('refused' in recipe ? [recipe.refused] : [])]
  return refused.length > 0 || 'refused' in recipe ? { refused } : recipe
}

const WRITERS = {
  none: () => {},
  pip: writePython,
  uv: writeUv,
  pipfile: writePipfile,
  conda: writeConda,
  r: (writing: Writing) => {
    writeR(writing)
    writeSecondaryPython(writing)
  },
  julia: (writing: Writing) => {
    writeJulia(writing)
    writeSecondaryPython(writing)
  },
  docker: () => {},
}

function write(input: RecipeInput, detected: Detected, draft: Draft): Recipe {
  const { texts } = detected
  const { config } = texts
  const isOwn = detected.pack === 'docker'
  const chosen =
    isOwn || input.bases === 'unknown'
      ? undefined
      : chooseBase(detected, input.bases, input.settings.env?.base)
  const writing: Writing = {
    draft,
    detected,
    texts,
    folder: input.folder,
    tree: new Map(input.files.map(file => [file.path, file])),
    allowed: input.allowedSources ?? [],
    date: input.date,
  }
  const apt = isOwn ? [] : aptOf(writing)
  WRITERS[detected.pack](writing)
  if (!isOwn) {
    writePostBuild(writing)
  }
  if (!isOwn && config.has('start')) {
    draft.project.lateVariables.NB_START_HOOK = `${PROJECT}/${config.place('start')}`
  }
  const rDate = detected.r?.date ?? (detected.pack === 'r' ? input.date : undefined)
  return {
    pack: detected.pack,
    strictPack: detected.strictPack,
    language: detected.language,
    versions: { ...(chosen?.versions ?? askedVersions(detected)), ...(rDate === undefined ? {} : { rDate }) },
    base: chosen?.base.reference ?? '',
    apt,
    files: draft.files.sort((a, b) => (a.path < b.path ? -1 : 1)),
    folders: draft.folders,
    environment: draft.environment,
    project: draft.project,
    content: { files: contentOf(writing, input.files), destination: PROJECT },
    inputs: [...draft.inputs].sort(),
    warnings: [...detected.warnings, ...draft.warnings],
  }
}

function askedVersions({ pythons, isPythonAsked, r, julia }: Detected): Recipe['versions'] {
  const [python] = isPythonAsked ? pythons : []
  return {
    ...(python === undefined ? {} : { python }),
    ...(r?.isAsked ? { r: r.version } : {}),
    ...(julia ? { julia: julia.version } : {}),
  }
}

function aptOf({ draft, texts: { config } }: Writing): readonly string[] {
  if (!config.has('apt.txt')) {
    return []
  }
  const { packages, findings } = readAptList(config.text('apt.txt'), config.place('apt.txt'))
  draft.findings.push(...findings)
  draft.inputs.add(config.place('apt.txt'))
  return packages
}

const EARLY = '/opt/nb-post-build'

/** After the files are there; before, when nb.yaml names all files that it reads. */
function writePostBuild(writing: Writing): void {
  const { draft, texts, folder } = writing
  const { config, settings } = texts
  const file = config.place('postBuild')
  if (!folder.has(file)) {
    return
  }
  const first = (folder.text(file) ?? '').split('\n')[0] ?? ''
  if (first.endsWith('\r')) {
    const hint = 'Save it with line ends of Unix.'
    draft.warnings.push({ code: 'POST_BUILD_CRLF', file, message: 'Its lines end as on Windows.', hint })
  }
  // Its mode may say anything: it is shipped as a program.
  const program = first.startsWith('#!') ? [`./${file}`] : ['bash', `./${file}`]
  const inputs = settings.build?.postBuild?.inputs
  if (inputs === undefined) {
    draft.project.steps.push(run('run postBuild', program, { folder: PROJECT }))
    return
  }
  const early = folderOf(writing, 'post-build', [file, ...inputs], { keepPaths: true })
  for (const missing of inputs.filter(path => !folder.has(path) && !folder.hasFolder(path))) {
    draft.findings.push({
      code: 'POST_BUILD_INPUT',
      file: missing,
      message: 'nb.yaml names it as an input of postBuild, and it is not there.',
      hint: 'Correct build.postBuild.inputs.',
    })
  }
  draft.folders.push({ ...early, files: early.files.map(each => asProgram(each, [file])) })
  for (const { path } of early.files) {
    draft.inputs.add(path)
  }
  draft.environment.steps.push(copy('post-build', EARLY), run('run postBuild', program, { folder: EARLY }))
}

function asProgram<F extends TreeFile>(file: F, programs: readonly string[]): F {
  return programs.includes(file.path) ? { ...file, mode: '100755' } : file
}

/** What .dockerignore leaves out is not shipped, nor what lies outside the project. */
function contentOf({ texts: { config } }: Writing, files: readonly TreeFile[]): TreeFile[] {
  const own = files.filter(({ path }) => !path.startsWith('../') && isShipped(path))
  const rules = ['.dockerignore', '.containerignore'].filter(config.has).map(config.text).join('\n')
  const kept =
    rules.trim() === ''
      ? undefined
      : keptOfContext(
          own.map(({ path }) => path),
          { ignore: parseDockerIgnore(rules), dockerfile: config.place('Dockerfile') },
        )
  const programs = ['postBuild', 'start'].map(config.place)
  return own
    .filter(({ path }) => kept === undefined || kept.has(path) || programs.includes(path))
    .map(file => asProgram(file, programs))
    .sort((a, b) => (a.path < b.path ? -1 : 1))
}

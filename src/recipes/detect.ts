import type { TomlTable } from '#formats/toml.ts'
import { type ConfigFolder, configFolderOf } from './config-folder.ts'
import { type Mapping, readEnvironmentFile, readJsonFile, readTomlFile } from './config-texts.ts'
import { detectVersions, type Versions } from './detect-versions.ts'
import { type Diagnostic, Refusal, refusable } from './diagnostic.ts'
import { ignoredFiles } from './ignored-files.ts'
import { kernelLanguage } from './kernel-language.ts'
import type { NotebookSettings } from './notebook-settings.ts'
import { once } from './once.ts'
import type { Language, Pack } from './packs.ts'
import type { ProjectFolder } from './project-folder.ts'
import { type Runtime, readRuntime } from './runtime-text.ts'
import { detectStrict, type StrictPack } from './strict.ts'

/** What a folder's files ask for. */
export interface Detected extends Versions {
  readonly pack: Pack
  /** What repo2docker would choose; undefined where it refuses. */
  readonly strictPack: StrictPack | undefined
  readonly texts: ConfigTexts
  readonly language: Language
  readonly warnings: readonly Diagnostic[]
}

/** Files of the configuration, read once; what cannot be read is refused when it is asked for. */
export interface ConfigTexts {
  readonly config: ConfigFolder
  readonly folder: ProjectFolder
  readonly settings: NotebookSettings
  readonly runtime: Runtime | undefined
  /** environment.yml, anaconda-project.yml or conda-lock.yml: the first that is there. */
  readonly condaFile: string | undefined
  readonly environment: () => Mapping
  readonly pyproject: () => TomlTable | undefined
  readonly toml: (name: string, code: string) => TomlTable | undefined
  readonly json: (name: string, code: string) => Mapping | undefined
}

/** The pack, language and versions of a project: repo2docker's rules where they serve, and no file dropped in silence. */
export function detectProject(
  folder: ProjectFolder,
  settings: NotebookSettings,
): Detected | { readonly refused: Diagnostic } {
  return refusable(() => detect(folder, settings))
}

function detect(folder: ProjectFolder, settings: NotebookSettings): Detected {
  const strict = detectStrict(folder)
  const texts = configTexts(folder, settings)
  const wanted = settings.env?.pack ?? 'auto'
  const isStrict = settings.env?.compat === 'strict'
  if (isStrict && 'refused' in strict) {
    throw new Refusal(strict.refused)
  }
  const pack =
    wanted !== 'auto'
      ? wanted
      : isStrict && !('refused' in strict)
        ? ofStrict(strict.pack, strict.default)
        : choosePack(texts)
  const kernel = pack === 'none' ? kernelLanguage(folder) : { language: languageOf(pack), warnings: [] }
  const versions = detectVersions(texts, pack, kernel.language)
  const strictPython = isStrict && !('refused' in strict) ? strict.python : undefined
  return {
    pack,
    strictPack: 'refused' in strict ? undefined : strict.pack,
    texts,
    language: kernel.language,
    ...versions,
    ...(strictPython === undefined ? {} : { pythons: [strictPython], isPythonAsked: true }),
    warnings: [
      ...texts.config.warnings,
      ...kernel.warnings,
      ...versions.warnings,
      ...ignoredFiles(texts, pack, kernel.language),
    ],
  }
}

const CONDA_FILES = ['environment.yml', 'environment.yaml', 'conda-lock.yml', 'anaconda-project.yml']

function configTexts(folder: ProjectFolder, settings: NotebookSettings): ConfigTexts {
  const config = configFolderOf(folder)
  const condaFile = CONDA_FILES.find(config.has)
  const tables = new Map<string, TomlTable>()
  const toml = (name: string, code: string) => {
    if (!config.has(name)) {
      return undefined
    }
    const table = tables.get(name) ?? readTomlFile(config.text(name), config.place(name), code)
    tables.set(name, table)
    return table
  }
  return {
    config,
    folder,
    settings,
    runtime: config.has('runtime.txt')
      ? readRuntime(config.text('runtime.txt'), config.place('runtime.txt'))
      : undefined,
    condaFile,
    // A lock file is not read: it is large, and micromamba alone knows its form.
    environment: once(() =>
      condaFile === undefined || condaFile === 'conda-lock.yml'
        ? {}
        : readEnvironmentFile(config.text(condaFile), config.place(condaFile)),
    ),
    pyproject: once(() => toml('pyproject.toml', 'PYPROJECT')),
    toml,
    json: (name, code) =>
      config.has(name) ? readJsonFile(config.text(name), config.place(name), code) : undefined,
  }
}

function choosePack(texts: ConfigTexts): Pack {
  const { config, condaFile, folder, runtime } = texts
  const { has } = config
  if (has('Dockerfile')) {
    refuseLegacy(config)
    return 'docker'
  }
  if (has('default.nix')) {
    throw unsupported('NIX_UNSUPPORTED', config.place('default.nix'), 'List the packages in environment.yml.')
  }
  if (has('Project.toml') || has('JuliaProject.toml')) {
    return 'julia'
  }
  if (has('REQUIRE')) {
    throw unsupported('JULIA_REQUIRE', config.place('REQUIRE'), 'Write a Project.toml with "Pkg.add".')
  }
  const hasRFiles = has('install.R') || (config.path === '' && folder.has('DESCRIPTION'))
  const mayBeR = runtime?.name !== 'python' && condaFile === undefined
  if (runtime?.name === 'r' || has('renv.lock') || (mayBeR && hasRFiles)) {
    return 'r'
  }
  if (condaFile !== undefined) {
    return 'conda'
  }
  if (has('uv.lock')) {
    return 'uv'
  }
  return choosePip(texts)
}

function choosePip({ config, folder, pyproject }: ConfigTexts): Pack {
  const { has } = config
  if (has('Pipfile') || has('Pipfile.lock')) {
    return 'pipfile'
  }
  const project = pyproject()
  const isSetup = config.path === '' && folder.has('setup.py')
  if ((project && 'project' in project) || has('requirements.txt') || isSetup) {
    return 'pip'
  }
  if (project && typeof project.tool === 'object' && 'poetry' in project.tool) {
    throw unsupported(
      'POETRY_UNSUPPORTED',
      config.place('pyproject.toml'),
      'Run "poetry export -o requirements.txt" and commit it, or add a [project] table.',
    )
  }
  const pixi = ['pixi.toml', 'pixi.lock'].find(has)
  if (pixi !== undefined) {
    throw unsupported(
      'PIXI_UNSUPPORTED',
      config.place(pixi),
      'Run "pixi project export conda-environment environment.yml" and commit it.',
    )
  }
  return 'none'
}

function refuseLegacy(config: ConfigFolder): void {
  if (/^FROM[^#\n]*andrewosh\/binder-base/im.test(config.text('Dockerfile'))) {
    throw unsupported('LEGACY', config.place('Dockerfile'), 'Remove it and write environment.yml instead.')
  }
}

function unsupported(code: string, file: string, hint: string): Refusal {
  return new Refusal({ code, file, message: `Projects with ${file} alone are not supported.`, hint })
}

function ofStrict(pack: StrictPack, isDefault: boolean): Pack {
  switch (pack) {
    case 'Docker':
      return 'docker'
    case 'JuliaProjectToml':
      return 'julia'
    case 'R':
      return 'r'
    case 'Conda':
      return 'conda'
    case 'Pipfile':
      return 'pipfile'
    case 'Python':
      return isDefault ? 'none' : 'pip'
    case 'JuliaRequire':
      throw unsupported('JULIA_REQUIRE', 'REQUIRE', 'Write a Project.toml with "Pkg.add".')
    case 'Nix':
      throw unsupported('NIX_UNSUPPORTED', 'default.nix', 'List the packages in environment.yml.')
  }
}

function languageOf(pack: Pack): Language {
  return pack === 'r' || pack === 'julia' ? pack : 'python'
}

import { isTable, type TomlTable, type TomlValue, tableIn } from '#formats/toml.ts'
import { manifestOf } from './detect-versions.ts'
import { copy, run, type Writing } from './draft.ts'
import { PROJECT } from './recipe.ts'

const ENVIRONMENT = '/opt/julia-env'
/** Code for several kinds of processors, so that nothing is compiled anew on another host. */
const CPU_TARGET = 'generic;sandybridge,-xsaveopt,clone_all;haswell,-rdrnd,base(1);x86-64-v4,-rdrnd,base(1)'
/** A new name or version of the project itself changes nothing about what it needs. */
const OWN_KEYS = ['name', 'uuid', 'version', 'authors']

/** Project.toml and Manifest.toml, installed and compiled before the project's files are there. */
export function writeJulia(writing: Writing): void {
  const { texts, draft } = writing
  const { config } = texts
  const name = config.has('JuliaProject.toml') ? 'JuliaProject.toml' : 'Project.toml'
  const project = texts.toml(name, 'JULIA_PROJECT') ?? {}
  const manifest = manifestOf(config.has)
  const hasManifest = config.has(manifest)
  const isLocal = hasLocalPaths(project) || hasLocalPaths(texts.toml(manifest, 'JULIA_MANIFEST') ?? {})
  const home = config.path === '' ? PROJECT : `${PROJECT}/${config.path}`
  draft.environment.variables.JULIA_CPU_TARGET = CPU_TARGET
  draft.environment.variables.JULIA_DEPOT_PATH = '/opt/julia-depot'
  if (isLocal) {
    draft.warnings.push({
      code: 'JULIA_LOCAL',
      file: config.place(name),
      message: 'It uses packages by their folder: everything is installed anew when a file changes.',
      hint: 'Register the packages, or name them by repository and commit.',
    })
    draft.project.steps.push(run('install Julia packages', instantiate(home)))
    draft.project.lateVariables.JULIA_PROJECT = home
    return
  }
  draft.inputs.add(config.place(name))
  draft.files.push({ path: 'julia/Project.toml', content: writeToml(withoutOwnKeys(project)) })
  if (hasManifest) {
    draft.inputs.add(config.place(manifest))
    draft.files.push({ path: 'julia/Manifest.toml', content: config.text(manifest) })
  }
  draft.environment.steps.push(
    copy('julia', ENVIRONMENT),
    run('install Julia packages', instantiate(ENVIRONMENT)),
  )
  // Without a Manifest only the environment knows which versions were installed.
  draft.environment.lateVariables.JULIA_PROJECT = hasManifest ? home : ENVIRONMENT
}

function instantiate(project: string): string[] {
  return ['julia', `--project=${project}`, '-e', 'using Pkg; Pkg.instantiate(); Pkg.precompile()']
}

/** `path = …` of a package in [sources] or in the Manifest. */
function hasLocalPaths(toml: TomlTable): boolean {
  const entries = [tableIn(toml, 'sources'), tableIn(toml, 'deps'), toml].flatMap(table =>
    Object.values(table).flat(),
  )
  return entries.some(entry => isTable(entry) && typeof entry.path === 'string')
}

function withoutOwnKeys(project: TomlTable): TomlTable {
  return Object.fromEntries(Object.entries(project).filter(([key]) => !OWN_KEYS.includes(key)))
}

/** Keys sorted, so that the order in which they were written changes nothing. */
function writeToml(table: TomlTable, path: readonly string[] = []): string {
  const entries = Object.entries(table).sort(([a], [b]) => (a < b ? -1 : 1))
  const plain = entries
    .filter(([, value]) => !isTable(value))
    .map(([key, value]) => `${quoted(key)} = ${inline(value)}\n`)
  const tables = entries.flatMap(([key, value]) => (isTable(value) ? [writeToml(value, [...path, key])] : []))
  const head = path.length > 0 && plain.length > 0 ? `[${path.map(quoted).join('.')}]\n` : ''
  return [head, ...plain, ...tables].join('')
}

function inline(value: TomlValue): string {
  if (Array.isArray(value)) {
    return `[${value.map(inline).join(', ')}]`
  }
  if (isTable(value)) {
    const entries = Object.entries(value).map(([key, each]) => `${quoted(key)} = ${inline(each)}`)
    return `{${entries.join(', ')}}`
  }
  return typeof value === 'string' ? quotedText(value) : String(value)
}

function quoted(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : quotedText(key)
}

/** A text of JSON is one of TOML, but for DEL. */
function quotedText(text: string): string {
  return JSON.stringify(text).replaceAll('\x7f', '\\u007f')
}

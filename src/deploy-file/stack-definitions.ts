import { remoteFolderOf } from '#formats/remote-folder.ts'
import type { Problem } from '#lib/errors.ts'
import type { OptionValue } from './check-options.ts'
import { isConfigAsCode } from './convention-apps.ts'
import {
  DefinitionConfig,
  InstanceConfig,
  parametersOf,
  readConfig,
  StackConfig,
} from './convention-config.ts'
import { type ConventionFile, conventionFiles, isOptionsFile, optionsFileOf } from './convention-files.ts'
import { composeNames, partsOfOthers } from './convention-parts.ts'
import { type RepoKey, withRepo } from './convention-remote.ts'
import { type OptionsSchema, readOptionsSchema } from './options-schema.ts'

/** Something that stacks can be made of: several Compose files by name, or one. */
export interface StackDefinition {
  readonly name: string
  readonly kind: 'definition' | 'compose'
  readonly file: string
  /** Paths of its Compose files, in the order in which they are merged; of another repository where they may be there. */
  readonly composes: readonly string[]
  /** The other repository that it takes files of: which options these have is known to deployments alone. */
  readonly remote?: string | undefined
  readonly options: OptionsSchema
  /** With some it cannot be deployed. */
  readonly problems: readonly Problem[]
}

/** A stack as a file says it: whether it runs or not. */
export interface DeclaredStack {
  readonly name: string
  /** The engine that it is for; undefined: the usual one. */
  readonly engine: string | undefined
  readonly kind: 'instance' | 'simple-instance' | 'stack' | 'compose'
  readonly file: string
  /** Name of what it is made of. */
  readonly definition: string
  readonly enabled: boolean
  readonly options: Readonly<Record<string, OptionValue>>
  /** The key `repo` of a file that takes its Compose file from another repository. */
  readonly repo?: RepoKey | undefined
  /** The file as it is written. */
  readonly text: string
  readonly problems: readonly Problem[]
}

export interface StacksAsCode {
  readonly definitions: readonly StackDefinition[]
  readonly stacks: readonly DeclaredStack[]
}

/** The files whose texts readStacksAsCode needs. */
export function stackTexts(paths: readonly string[]): string[] {
  const files = conventionFiles(paths).filter(({ kind }) => !['dockerfile', 'image'].includes(kind))
  return [...files.map(({ path }) => path), ...paths.filter(isOptionsFile)].sort()
}

/** All that a tree says about stacks; what is broken stands in it with its problems. */
export function readStacksAsCode(
  paths: readonly string[],
  texts: Readonly<Record<string, string>>,
): StacksAsCode {
  const files = conventionFiles(paths)
  const tree: Tree = { files, texts, parts: partsOfOthers(files, texts) }
  return {
    definitions: files.flatMap(file => definitionOf(tree, file)),
    // Beside a Compose file or Dockerfile that is the app, names in the early spelling are none.
    stacks: isConfigAsCode(files, paths) ? files.flatMap(file => stackOf(tree, file)) : [],
  }
}

interface Tree {
  readonly files: readonly ConventionFile[]
  readonly texts: Readonly<Record<string, string>>
  /** Names of Compose files that another file makes a stack of. */
  readonly parts: ReadonlySet<string>
}

function definitionOf(tree: Tree, file: ConventionFile): StackDefinition[] {
  if (file.kind === 'definition' && file.remote) {
    return [remoteDefinition(tree, file)]
  }
  if (file.kind === 'definition') {
    const { config, problems } = readConfig(DefinitionConfig, file.path, tree.texts[file.path])
    const names = composeNames(config?.composes ?? [])
    const found = names.map(name => ({ name, files: composesNamed(tree, name) }))
    const missing = found
      .filter(each => each.files.length !== 1)
      .map(each => composeProblem(file.path, each.name, each.files))
    const composes = found.flatMap(each => (each.files.length === 1 ? each.files : []))
    return [definition(tree, { file, kind: 'definition', composes }, [...problems, ...missing])]
  }
  return file.kind === 'compose' ? [definition(tree, { file, kind: 'compose', composes: [file] }, [])] : []
}

/** What lies in the other repository is fetched by deployments alone, with their app's secrets. */
function remoteDefinition(tree: Tree, file: ConventionFile): StackDefinition {
  const { config, problems } = readConfig(withRepo(DefinitionConfig), file.path, tree.texts[file.path])
  const { repo } = (config ?? {}) as { readonly repo?: RepoKey }
  const remote = repo === undefined ? '' : nameOfRepo(repo)
  const names = composeNames(config?.composes ?? [])
  const own = names.map(name => composesNamed(tree, name)[0])
  const known = definition(
    tree,
    { file, kind: 'definition', composes: own.filter(each => each !== undefined) },
    problems,
  )
  const composes = names.map(
    (name, index) => own[index]?.path ?? `${remoteFolderOf(remote)}/docker-compose.${name}.yml`,
  )
  return { ...known, composes, remote, options: openOptions(known.options) }
}

/** A stack may be made of a Compose file of which nothing but the name stands in the tree. */
export function remoteCompose(
  name: string,
  { file, repo }: { file: string; repo: RepoKey },
): StackDefinition {
  const remote = nameOfRepo(repo)
  const composes = [`${remoteFolderOf(remote)}/docker-compose.${name}.yml`]
  const options = openOptions({ type: 'object', properties: {} })
  return { name, kind: 'compose', file, composes, remote, options, problems: [] }
}

function nameOfRepo(repo: RepoKey): string {
  return typeof repo === 'string' ? repo : repo.name
}

/** Others than those that are known here may be there. */
function openOptions({ additionalProperties: _, ...schema }: OptionsSchema): OptionsSchema {
  return schema
}

interface Found {
  readonly file: ConventionFile
  readonly kind: StackDefinition['kind']
  readonly composes: readonly ConventionFile[]
}

function definition(
  tree: Tree,
  { file, kind, composes }: Found,
  problems: readonly Problem[],
): StackDefinition {
  const doubles = tree.files.filter(each => each.kind === file.kind && each.name === file.name)
  const beside = optionsFileOf(file.path)
  const text = tree.texts[beside]
  const { schema, problems: wrong } = readOptionsSchema({
    composes: composes.map(({ path }) => tree.texts[path] ?? ''),
    described: text === undefined ? undefined : { file: beside, text },
  })
  return {
    name: file.name,
    kind,
    file: file.path,
    composes: composes.map(({ path }) => path),
    options: schema,
    problems: [...problems, ...wrong, ...doubleProblems(file, doubles)],
  }
}

function composesNamed({ files }: Tree, name: string): ConventionFile[] {
  return files.filter(file => file.kind === 'compose' && file.name === name)
}

function composeProblem(file: string, name: string, found: readonly ConventionFile[]): Problem {
  const expected = `one file docker-compose.${name}.yml, wherever in the tree`
  return found.length === 0
    ? { path: 'composes', message: `names "${name}", which is not there`, expected, file }
    : { path: 'composes', message: `names "${name}", which is there ${found.length} times`, expected, file }
}

function doubleProblems(file: ConventionFile, all: readonly ConventionFile[]): Problem[] {
  const others = all.filter(({ path }) => path !== file.path).map(({ path }) => path)
  const message = `has the name of ${others.join(', ')}`
  return others.length === 0 ? [] : [{ path: '', message, expected: 'each name once', file: file.path }]
}

function stackOf(tree: Tree, file: ConventionFile): DeclaredStack[] {
  const text = tree.texts[file.path] ?? ''
  const { name, kind, of, suffix: engine, path } = file
  if (kind === 'instance' || kind === 'simple-instance') {
    const schema = file.remote ? withRepo(InstanceConfig) : InstanceConfig
    const { config, problems } = readConfig(schema, path, tree.texts[path])
    const { repo } = (config ?? {}) as { readonly repo?: RepoKey }
    const options = parametersOf(config ?? {})
    const enabled = config?.enabled ?? false
    return [{ name, engine, kind, file: path, definition: of ?? '', enabled, options, repo, text, problems }]
  }
  if (kind === 'stack') {
    const { config, problems } = readConfig(StackConfig, path, tree.texts[path])
    const options = parametersOf(config ?? {})
    const enabled = config ? config.enabled !== false : false
    return [{ name, engine, kind, file: path, definition: name, enabled, options, text, problems }]
  }
  // In the early spelling such a file is a stack by itself, unless another one says how it runs.
  return kind === 'compose' && file.early && !tree.parts.has(name)
    ? [{ name, engine, kind, file: path, definition: name, enabled: true, options: {}, text, problems: [] }]
    : []
}

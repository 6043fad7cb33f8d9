import type { Problem } from '#lib/errors.ts'
import type { Candidate, Described, RemoteRepository, Shelf } from './convention.ts'
import { composeInputs } from './convention-compose.ts'
import {
  DefinitionConfig,
  InstanceConfig,
  type Parameterised,
  type ReadConfig,
  readConfig,
  StackConfig,
} from './convention-config.ts'
import { isOwn } from './convention-far.ts'
import type { ConventionFile } from './convention-files.ts'
import { type Choice, chooseOptions } from './convention-options.ts'
import { composeNames } from './convention-parts.ts'
import { elsewhereOf, withRepo } from './convention-remote.ts'
import { usedImages } from './convention-uses.ts'
import { watched } from './convention-watch.ts'
import { readJson } from './json-text.ts'
import { engineOfSuffix, swarmName } from './stack-place.ts'

/** The Compose files of a stack, and the files that lead to them. */
interface Composes {
  readonly paths: readonly string[]
  readonly through: readonly string[]
  /** What the options are described beside. */
  readonly definition: string
  readonly remote?: RemoteRepository | undefined
  readonly problems: readonly Problem[]
}

/** A stack: an instance of a definition or of one Compose file, or in the early spelling such a file by itself. */
export function describeStack({ file, name, suffix }: Candidate, shelf: Shelf): Described {
  const own = readOwn(file, shelf)
  if (own.config?.enabled === false) {
    return { state: 'disabled' }
  }
  const composes = file.kind === 'instance' ? ofDefinition(file, shelf) : ofOne(file, own, shelf)
  const isCertain = composes.problems.length === 0 && (own.config !== undefined || !file.remote)
  const known = isCertain ? { composes: composes.paths } : {}
  if (!own.config) {
    return { state: 'broken', problems: own.problems, ...known }
  }
  const options = chooseOptions(composes.definition, own, shelf)
  const problems = [...composes.problems, ...jsonProblems(composes, shelf), ...options.problems]
  if (problems.length > 0 || composes.paths.length === 0) {
    return { state: 'broken', problems, ...known }
  }
  const inputs = composeInputs(composes.paths, shelf.texts)
  const { environment } = options
  const described = shelf.paths.has(options.path) ? [options.path] : []
  const paths = [...new Set([file.path, ...composes.through, ...composes.paths, ...described])]
  const uses = usedImages(inputs.images, shelf.images)
  return {
    state: 'described',
    app: {
      target: 'stack',
      settings: {
        files: composes.paths,
        stack: swarmName(name),
        ...(Object.keys(environment).length > 0 ? { environment } : {}),
      },
      common: {
        watch: watched([...paths, options.path, ...inputs.paths]),
        ...(suffix === undefined ? {} : { engine: engineOfSuffix(suffix) }),
      },
      files: {
        ...{ kind: 'stack', name, paths, uses },
        ...(composes.remote ? { remotes: [composes.remote] } : {}),
      },
    },
  }
}

type Own = Choice & ReadConfig<{ readonly enabled?: boolean } & Parameterised>

function readOwn({ kind, path, remote }: ConventionFile, { texts }: Shelf): Own {
  switch (kind) {
    case 'compose':
      return {
        config: {},
        problems: [],
        problemAt: (_, message, expected) => ({ path: '', message, expected, file: path }),
      }
    case 'stack':
      return readConfig(StackConfig, path, texts[path])
    default:
      return readConfig(remote ? withRepo(InstanceConfig) : InstanceConfig, path, texts[path])
  }
}

function ofOne(file: ConventionFile, read: Own, shelf: Shelf): Composes {
  const { kind, path, name, of } = file
  if (kind === 'compose') {
    return { paths: [path], through: [], definition: path, problems: [] }
  }
  const wanted = of ?? name
  const { elsewhere, problems } = elsewhereOf(file, read, shelf)
  if (problems.length > 0) {
    return failed(...problems)
  }
  const compose = elsewhere ? elsewhere.find('compose', wanted) : shelf.only('compose', wanted)?.path
  const { through = [], remote } = elsewhere ?? {}
  return compose !== undefined
    ? { paths: [compose], through, definition: compose, remote, problems: [] }
    : failed({ path: '', ...absent('compose', wanted), file: path })
}

function ofDefinition({ path, of = '' }: ConventionFile, shelf: Shelf): Composes {
  const definition = shelf.only('definition', of)
  if (!definition) {
    return failed({ path: '', ...absent('definition', of), file: path })
  }
  const schema = definition.remote ? withRepo(DefinitionConfig) : DefinitionConfig
  const read = readConfig(schema, definition.path, shelf.texts[definition.path])
  if (!read.config) {
    return failed(...read.problems)
  }
  const { elsewhere, problems } = elsewhereOf(definition, read, shelf)
  if (problems.length > 0) {
    return failed(...problems)
  }
  const names = composeNames(read.config.composes)
  const composes = names.map(name =>
    elsewhere ? elsewhere.find('compose', name) : shelf.only('compose', name)?.path,
  )
  return {
    paths: composes.filter(compose => compose !== undefined),
    through: [definition.path, ...(elsewhere?.through ?? [])],
    definition: definition.path,
    remote: elsewhere?.remote,
    problems: names.flatMap((name, index) => {
      const { message, expected } = absent('compose', name)
      return composes[index] === undefined ? [read.problemAt(['composes', index], message, expected)] : []
    }),
  }
}

function failed(...problems: readonly Problem[]): Composes {
  return { paths: [], through: [], definition: '', problems }
}

function absent(kind: 'compose' | 'definition', name: string) {
  const [what, file] =
    kind === 'compose'
      ? ['Compose file', `docker-compose.${name}.yml`]
      : ['definition', `stack-definition.${name}.json`]
  const message = `needs the ${what} "${name}", which is not there`
  return { message, expected: `one file ${file}, wherever in the tree` }
}

/** Compose itself says what is wrong with YAML; of JSON it would not say the line. */
function jsonProblems({ paths, remote }: Composes, { texts }: Shelf): Problem[] {
  return paths.flatMap(file => {
    const text = texts[file]
    if (text === undefined && remote && !isOwn(file)) {
      // Not fetched yet: the app's own deployment does that.
      return []
    }
    if (text === undefined) {
      return [{ path: '', message: 'could not be read', expected: 'a text file, no symbolic link', file }]
    }
    return file.endsWith('.json') ? readJson(text).problems.map(problem => ({ ...problem, file })) : []
  })
}

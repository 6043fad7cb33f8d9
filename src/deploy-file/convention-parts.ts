import type { Shelf } from './convention.ts'
import { DefinitionConfig, readConfig } from './convention-config.ts'
import { type ConventionFile, conventionFile } from './convention-files.ts'
import { withRepo } from './convention-remote.ts'

/**
 * Names of Compose files that another file makes a stack of, or may: a definition that cannot be read yet must not set
 * its parts free as stacks of their own, so words are enough.
 */
export function partsOfOthers(
  files: readonly ConventionFile[],
  texts: Readonly<Record<string, string>>,
): ReadonlySet<string> {
  const simple = files.flatMap(({ kind, name, of }) =>
    kind === 'stack' ? [name] : kind === 'simple-instance' && of !== undefined ? [of] : [],
  )
  const definitions = files.filter(({ kind }) => kind === 'definition').map(({ path }) => texts[path] ?? '')
  const named = files
    .filter(({ kind, name }) => kind === 'compose' && definitions.some(text => mentions(text, name)))
    .map(({ name }) => name)
  return new Set([...simple, ...named])
}

function mentions(text: string, name: string): boolean {
  const [before, after] = ['(?:^|[^A-Za-z0-9_-])', '(?:[^A-Za-z0-9_-]|$)']
  return new RegExp(`${before}(?:docker-compose[-.])?${name.replaceAll('.', '\\.')}${after}`).test(text)
}

/**
 * Compose files in the early spelling that are stacks no more, because files without fault make them a part of others.
 * When one of these others is wrong, or there is none, or a name is there twice, nothing is removed.
 */
export function partsForCertain(
  files: readonly ConventionFile[],
  shelf: Shelf,
  isSound: (file: ConventionFile) => boolean,
): readonly ConventionFile[] {
  const single = files.filter(({ path }) => !shelf.doubles.has(path))
  const named = new Set(single.flatMap(file => partsMadeBy(file, { files, shelf, isSound })))
  return single.filter(({ kind, early, name }) => kind === 'compose' && early && named.has(name))
}

interface Made {
  readonly files: readonly ConventionFile[]
  readonly shelf: Shelf
  readonly isSound: (file: ConventionFile) => boolean
}

function partsMadeBy(file: ConventionFile, { files, shelf, isSound }: Made): readonly string[] {
  const { kind, path, name, of, remote } = file
  switch (kind) {
    case 'simple-instance':
      return of !== undefined && isSound(file) ? [of] : []
    case 'definition': {
      const instances = files.filter(each => each.kind === 'instance' && each.of === name)
      const schema = remote ? withRepo(DefinitionConfig) : DefinitionConfig
      const { config } = readConfig(schema, path, shelf.texts[path])
      return instances.length > 0 && instances.every(isSound) ? composeNames(config?.composes ?? []) : []
    }
    default:
      return []
  }
}

/** A definition may name its Compose files as files too. */
export function composeNames(composes: readonly string[]): string[] {
  return composes.map(text => conventionFile(text)?.name ?? text)
}

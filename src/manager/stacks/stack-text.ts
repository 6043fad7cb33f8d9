import { posix } from 'node:path'
import { checkOptions, type OptionValue } from '#deploy-file/check-options.ts'
import type { DeclaredStack, StackDefinition } from '#deploy-file/stack-definitions.ts'
import { canonicalJson } from '#lib/canonical-json.ts'
import { STACK_OPTIONS_WRONG } from './errors.ts'
import { withProblems } from './find-stack.ts'

export type Options = Readonly<Record<string, OptionValue>>

/** Beside the definition: a file is found by its name, wherever in the tree. */
export function fileFor(
  definition: StackDefinition,
  {
    stack,
    engine,
    isRemote,
  }: { readonly stack: string; readonly engine?: string | undefined; readonly isRemote: boolean },
): string {
  const simple = `simple-stack-instance${isRemote ? '.remote-repo' : ''}`
  const kind = definition.kind === 'definition' ? 'stack-instance' : simple
  const suffix = engine === undefined ? '' : `.${engine}`
  return posix.join(posix.dirname(definition.file), `${kind}.${definition.name}.${stack}${suffix}.json`)
}

/** What is given; defaults stay in the definition, so that changing them there changes what runs. */
export function parametersFor(definition: StackDefinition, options: Options): Options {
  const isKnown = (name: string) => Object.hasOwn(definition.options.properties, name)
  const checked =
    definition.remote === undefined
      ? options
      : Object.fromEntries(Object.entries(options).filter(([name]) => isKnown(name)))
  const { problems } = checkOptions(definition.options, checked)
  if (problems.length > 0) {
    throw withProblems(STACK_OPTIONS_WRONG, definition.name, problems)
  }
  return options
}

interface Content {
  readonly enabled: boolean
  readonly options: Options
  readonly repo: DeclaredStack['repo']
}

export function textOf({ enabled, options, repo }: Content): string {
  const sorted = JSON.parse(canonicalJson(options)) as Options
  const parameters = Object.entries(sorted).map(([name, value]) => ({ name, value: String(value) }))
  return `${JSON.stringify({ enabled, parameters, repo }, null, 2)}\n`
}

/** The same options of another definition make another stack. */
export function isMadeOf(declared: DeclaredStack, { name, kind }: StackDefinition): boolean {
  return declared.definition === name && (declared.kind === 'instance') === (kind === 'definition')
}

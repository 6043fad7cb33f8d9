import { type Static, type TObject, Type } from 'typebox'
import type { Problem } from '#lib/errors.ts'
import { ruleOf } from './expectation.ts'
import { explain } from './explain.ts'
import { readJson } from './json-text.ts'

const strict = { additionalProperties: false } as const

const Parameter = Type.Object(
  {
    name: Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]{0,127}$' }),
    value: Type.Union([Type.String({ maxLength: 65_536 }), Type.Number(), Type.Boolean()]),
  },
  strict,
)
const Parameters = Type.Optional(Type.Array(Parameter, { maxItems: 500 }))
const Reference = Type.String({ minLength: 1, maxLength: 512 })

export const ImageConfig = Type.Object(
  {
    tag: Reference,
    push: Type.Optional(Type.Union([Reference, Type.Array(Reference, { maxItems: 20 })])),
    context: Type.Optional(Type.String({ minLength: 1, maxLength: 1024 })),
    parameters: Parameters,
    build_secrets: Type.Optional(
      Type.Array(Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_.-]{0,127}$' }), { maxItems: 32 }),
    ),
  },
  strict,
)
export type ImageConfig = Static<typeof ImageConfig>

export const DefinitionConfig = Type.Object(
  { composes: Type.Array(Type.String({ minLength: 1, maxLength: 300 }), { minItems: 1, maxItems: 10 }) },
  strict,
)
export type DefinitionConfig = Static<typeof DefinitionConfig>

export const InstanceConfig = Type.Object({ enabled: Type.Boolean(), parameters: Parameters }, strict)
export type InstanceConfig = Static<typeof InstanceConfig>

/** The early form says only what is not as usual. */
export const StackConfig = Type.Object(
  { enabled: Type.Optional(Type.Boolean()), parameters: Parameters },
  strict,
)
export type StackConfig = Static<typeof StackConfig>

export interface ReadConfig<T> {
  /** Undefined when there are problems. */
  readonly config: T | undefined
  readonly problems: readonly Problem[]
  /** A problem with a value of it, at its line. */
  problemAt(path: readonly (string | number)[], message: string, expected: string): Problem
}

/** Reads a JSON file of the conventions: all that is wrong with it comes back at once, each with line and column. */
export function readConfig<S extends TObject>(
  schema: S,
  file: string,
  text: string | undefined,
): ReadConfig<Static<S>> {
  if (text === undefined) {
    const problem = { path: '', message: 'could not be read', expected: READABLE, file }
    return { config: undefined, problems: [problem], problemAt: () => problem }
  }
  const json = readJson(text)
  const problemAt = (path: readonly (string | number)[], message: string, expected: string): Problem => ({
    ...{ path: path.join('.'), message, expected, file },
    ...json.placeOf(path, 'value'),
  })
  if (json.problems.length > 0) {
    return { config: undefined, problems: json.problems.map(each => ({ ...each, file })), problemAt }
  }
  const problems = explain(ruleOf(schema), json.value).map(({ path, at, message, expected }) => ({
    ...{ path: path.join('.'), message, expected, file },
    ...json.placeOf(path, at),
  }))
  const all = problems.length > 0 ? problems : doubleParameters(json.value as Parameterised, problemAt)
  return { config: all.length > 0 ? undefined : (json.value as Static<S>), problems: all, problemAt }
}

/** Which of two values is meant, nobody can tell. */
function doubleParameters(
  { parameters = [] }: Parameterised,
  problemAt: ReadConfig<object>['problemAt'],
): Problem[] {
  const names = parameters.map(({ name }) => name)
  return names.flatMap((name, index) =>
    names.indexOf(name) < index
      ? [problemAt(['parameters', index, 'name'], `names "${name}" again`, 'each parameter once')]
      : [],
  )
}

const READABLE = 'a text file of at most 256 KiB, no symbolic link'

export interface Parameterised {
  readonly parameters?: readonly Static<typeof Parameter>[] | undefined
}

/** The parameters by name. */
export function parametersOf({ parameters = [] }: Parameterised): Record<string, string | number | boolean> {
  return Object.fromEntries(parameters.map(({ name, value }) => [name, value]))
}

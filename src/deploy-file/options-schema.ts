import { type Static, Type } from 'typebox'
import type { Problem } from '#lib/errors.ts'
import { type ComposeVariable, composeVariables } from './compose-variables.ts'
import { ruleOf } from './expectation.ts'
import { explain } from './explain.ts'
import { readYaml } from './yaml-text.ts'

const strict = { additionalProperties: false } as const
const Scalar = Type.Union([Type.String({ maxLength: 4096 }), Type.Number(), Type.Boolean()])
const Count = Type.Integer({ minimum: 0, maximum: 65_536 })

/** One option: the keywords of JSON Schema (2020-12) that a form can show. */
export const OptionRule = Type.Object(
  {
    type: Type.Enum(['string', 'integer', 'number', 'boolean']),
    title: Type.Optional(Type.String({ maxLength: 200 })),
    description: Type.Optional(Type.String({ maxLength: 2000 })),
    default: Type.Optional(Scalar),
    examples: Type.Optional(Type.Array(Scalar, { maxItems: 20 })),
    enum: Type.Optional(Type.Array(Scalar, { minItems: 1, maxItems: 200 })),
    minimum: Type.Optional(Type.Number()),
    maximum: Type.Optional(Type.Number()),
    minLength: Type.Optional(Count),
    maxLength: Type.Optional(Count),
    pattern: Type.Optional(Type.String({ maxLength: 500 })),
    format: Type.Optional(
      Type.String({ maxLength: 50, description: 'For the form that shows it; it is not checked.' }),
    ),
    writeOnly: Type.Optional(
      Type.Boolean({ description: 'A secret: its value must be the name of one, "$NAME".' }),
    ),
  },
  strict,
)
export type OptionRule = Static<typeof OptionRule>

/** The options of a stack definition, as a file beside it describes them. */
export const OptionsSchema = Type.Object(
  {
    $schema: Type.Optional(Type.String({ maxLength: 500 })),
    $id: Type.Optional(Type.String({ maxLength: 500 })),
    title: Type.Optional(Type.String({ maxLength: 200 })),
    description: Type.Optional(Type.String({ maxLength: 4000 })),
    type: Type.Literal('object'),
    properties: Type.Record(Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]{0,127}$' }), OptionRule),
    required: Type.Optional(Type.Array(Type.String(), { maxItems: 200 })),
    additionalProperties: Type.Optional(Type.Literal(false)),
  },
  strict,
)
export type OptionsSchema = Static<typeof OptionsSchema>

export interface ReadOptions {
  readonly schema: OptionsSchema
  /** Of the file that describes them; then only what the Compose files say is in the schema. */
  readonly problems: readonly Problem[]
}

interface Definition {
  /** Texts of its Compose files. */
  readonly composes: readonly string[]
  /** The file beside it, where there is one. */
  readonly described?: { readonly file: string; readonly text: string } | undefined
}

/** What can be chosen of a definition: what the file beside it describes, and every other variable of its Compose files. */
export function readOptionsSchema({ composes, described }: Definition): ReadOptions {
  const variables = composeVariables(composes.join('\n'))
  const { schema, problems } = described ? readDescribedOptions(described) : NOTHING
  const properties: Record<string, OptionRule> = {}
  const required = new Set(schema.required)
  for (const [name, variable] of variables) {
    if (!Object.hasOwn(schema.properties, name)) {
      properties[name] = ruleFor(variable)
      if (variable.isRequired) {
        required.add(name)
      }
    }
  }
  return {
    schema: {
      ...schema,
      properties: { ...schema.properties, ...properties },
      required: [...required],
      additionalProperties: false,
    },
    problems,
  }
}

const NOTHING: ReadOptions = { schema: { type: 'object', properties: {} }, problems: [] }

function ruleFor({ fallback, words }: ComposeVariable): OptionRule {
  return {
    type: 'string',
    ...(words === undefined ? {} : { description: words }),
    // One that is made of other variables is no value.
    ...(fallback === undefined || fallback.includes('$') ? {} : { default: fallback }),
  }
}

/** What a file says about options, and nothing else. JSON is YAML, whose reader knows the lines. */
export function readDescribedOptions({
  file,
  text,
}: {
  readonly file: string
  readonly text: string
}): ReadOptions {
  const read = readYaml(text)
  const problems =
    read.problems.length > 0
      ? read.problems
      : explain(ruleOf(OptionsSchema), read.value).map(({ path, at, message, expected }) => ({
          path: path.join('.'),
          message,
          expected,
          ...read.placeOf(path, at),
        }))
  return problems.length > 0
    ? { ...NOTHING, problems: problems.map(problem => ({ ...problem, file })) }
    : { schema: read.value as OptionsSchema, problems: [] }
}

import type { TSchema } from 'typebox'

/** The keywords of a schema that lead to the schemas of its parts. */
interface Parts {
  readonly secret?: unknown
  readonly properties?: Readonly<Record<string, TSchema>>
  readonly patternProperties?: Readonly<Record<string, TSchema>>
  readonly additionalProperties?: TSchema | boolean
  readonly items?: TSchema | readonly TSchema[]
  readonly anyOf?: readonly TSchema[]
  readonly allOf?: readonly TSchema[]
  readonly oneOf?: readonly TSchema[]
}

/** Every text in a value whose schema says `secret: true`, so that it can be kept out of logs, results and errors. */
export function secretsIn(schema: TSchema, value: unknown): string[] {
  const { secret, anyOf = [], allOf = [], oneOf = [] } = schema as Parts
  const here = secret === true && typeof value === 'string' ? [value] : []
  const alternatives = [...anyOf, ...allOf, ...oneOf].flatMap(part => secretsIn(part, value))
  return [...here, ...alternatives, ...secretsInside(schema as Parts, value)]
}

function secretsInside(schema: Parts, value: unknown): string[] {
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => secretsOfItem(schema.items, { item, index }))
  }
  if (typeof value !== 'object' || value === null) {
    return []
  }
  return Object.entries(value).flatMap(([key, part]) =>
    schemasOf(schema, key).flatMap(partSchema => secretsIn(partSchema, part)),
  )
}

function secretsOfItem(items: Parts['items'], { item, index }: { item: unknown; index: number }): string[] {
  const schema = Array.isArray(items) ? (items as readonly TSchema[])[index] : (items as TSchema | undefined)
  return schema ? secretsIn(schema, item) : []
}

function schemasOf(schema: Parts, key: string): TSchema[] {
  const named = schema.properties?.[key]
  if (named) {
    return [named]
  }
  const matching = Object.entries(schema.patternProperties ?? {})
    .filter(([pattern]) => new RegExp(pattern).test(key))
    .map(([, part]) => part)
  return typeof schema.additionalProperties === 'object'
    ? [...matching, schema.additionalProperties]
    : matching
}

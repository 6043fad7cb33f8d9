import { isDeepStrictEqual } from 'node:util'
import { problemsOf } from '#lib/check.ts'

/** What is used here of JSON schemas, as TypeBox makes them. */
export interface Schema {
  readonly type?: string
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly patternProperties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: boolean | Schema
  readonly items?: Schema | readonly Schema[]
  readonly pattern?: string
  readonly [keyword: string]: unknown
}

const NOTHING_ELSE = 'additionalItems'
/** Which values they are, one by one; what is not said here must be the same on both sides. */
const HANDLED = new Set([
  ...[
    'type',
    'const',
    'enum',
    'anyOf',
    'properties',
    'required',
    'patternProperties',
    'additionalProperties',
  ],
  ...['items', NOTHING_ELSE, 'minItems', 'maxItems', 'minLength', 'maxLength', 'minimum', 'maximum'],
  ...['minProperties', 'maxProperties', 'description', 'secret'],
])
/** A side that does not say it allows everything. */
const AT_LEAST = ['minItems', 'minLength', 'minimum', 'minProperties']
const AT_MOST = ['maxItems', 'maxLength', 'maximum', 'maxProperties']

/**
 * Why a reader may refuse what a writer may write: one line for each place, as `limits.memory: is not known there`.
 * None: every value that fits the schema of the writer fits the reader's. It errs on the side of a line too many, where
 * variants of the writer fit only together.
 */
export function refusals(written: Schema, read: Schema, path = ''): string[] {
  if (isDeepStrictEqual(written, read)) {
    return []
  }
  const at = (why: string) => [`${path || 'the whole'}: ${why}`]
  const variants = written.anyOf ?? written.enum?.map(value => ({ const: value }))
  if (variants) {
    return variants.flatMap(variant => refusals(variant, read, path))
  }
  if (read.anyOf) {
    const tries = read.anyOf.map(variant => refusals(written, variant, path))
    return tries.sort((one, other) => one.length - other.length)[0] ?? at('nothing fits there')
  }
  if ('const' in written) {
    return problemsOf(read, written.const).flatMap(() => at(`${JSON.stringify(written.const)} is refused`))
  }
  if ('const' in read || read.enum) {
    return at('may be something else than what is taken')
  }
  if (read.type !== undefined && read.type !== written.type && !isInteger(written, read)) {
    return at(`is ${written.type ?? 'anything'}, and ${read.type} is taken`)
  }
  return [
    ...limitsOf(written, read).flatMap(at),
    ...itemsOf(written, read, path),
    ...(read.type === 'object' ? propertiesOf(written, read, path) : []),
  ]
}

function isInteger(written: Schema, read: Schema): boolean {
  return written.type === 'integer' && read.type === 'number'
}

function limitsOf(written: Schema, read: Schema): string[] {
  const wider = (
    keywords: readonly string[],
    none: number,
    isWider: (one: number, other: number) => boolean,
  ) => keywords.filter(keyword => isWider(numberOf(written[keyword], none), numberOf(read[keyword], none)))
  const others = Object.keys(read).filter(keyword => !HANDLED.has(keyword))
  return [
    ...wider(AT_LEAST, Number.NEGATIVE_INFINITY, (one, other) => one < other),
    ...wider(AT_MOST, Number.POSITIVE_INFINITY, (one, other) => one > other),
    ...others.filter(keyword => !isDeepStrictEqual(written[keyword], read[keyword])),
  ].map(keyword => `${keyword} ${written[keyword] ?? 'is not set'}, and ${read[keyword]} is taken`)
}

function numberOf(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise
}

function itemsOf(written: Schema, read: Schema, path: string): string[] {
  if (read.items === undefined) {
    return []
  }
  const [ours, theirs] = [written.items ?? {}, read.items]
  if (isTuple(ours) !== isTuple(theirs) || (isTuple(ours) && ours.length !== (theirs as Schema[]).length)) {
    return [`${path}[]: is a list of another kind`]
  }
  const pairs = isTuple(ours)
    ? ours.map((item, index) => [item, (theirs as Schema[])[index] ?? {}] as const)
    : [[ours, theirs as Schema] as const]
  return pairs.flatMap(([one, other], index) =>
    refusals(one, other, `${path}[${isTuple(ours) ? index : ''}]`),
  )
}

function isTuple(items: Schema | readonly Schema[]): items is readonly Schema[] {
  return Array.isArray(items)
}

function propertiesOf(written: Schema, read: Schema, path: string): string[] {
  const below = (name: string) => (path === '' ? name : `${path}.${name}`)
  const needed = (read.required ?? []).filter(name => !written.required?.includes(name))
  const named = Object.entries(written.properties ?? {})
  const patterns = Object.entries(written.patternProperties ?? {})
  const isOpen = written.additionalProperties !== false && patterns.length === 0
  return [
    ...needed.map(name => `${below(name)}: may be left out, and is required there`),
    ...named.flatMap(([name, schema]) => {
      const taken = takenOf(read, name)
      return taken === undefined
        ? [`${below(name)}: is not known there`]
        : refusals(schema, taken, below(name))
    }),
    ...patterns.flatMap(([pattern, schema]) => {
      const taken = read.patternProperties?.[pattern] ?? openOf(read)
      return taken === undefined
        ? [`${below('*')}: names like ${pattern} are not known there`]
        : refusals(schema, taken, below('*'))
    }),
    ...(isOpen && openOf(read) === undefined
      ? [`${below('*')}: may have any name, and only some are known there`]
      : []),
  ]
}

/** What may stand under a name that is written; undefined: nothing. */
function takenOf(read: Schema, name: string): Schema | undefined {
  const pattern = Object.entries(read.patternProperties ?? {}).find(([each]) =>
    new RegExp(each, 'u').test(name),
  )
  return read.properties?.[name] ?? pattern?.[1] ?? openOf(read)
}

/** What may stand under names that nothing is said of. */
function openOf({ additionalProperties: others = true, patternProperties }: Schema): Schema | undefined {
  return typeof others === 'object' ? others : others && patternProperties === undefined ? {} : undefined
}

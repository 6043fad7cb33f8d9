import { nearest } from '#lib/nearest.ts'
import { choicesOf, expectation, type Rule } from './expectation.ts'
import type { Path } from './yaml-text.ts'

/** Something wrong with a value, for a person: where, what, and what would be right. */
export interface Finding {
  readonly path: Path
  /** Whether the key is wrong or what stands behind it. */
  readonly at: 'key' | 'value'
  readonly message: string
  readonly expected: string
}

/** Everything that is wrong with a value by a schema, in the words of a deploy file; empty when it fits. */
export function explain(rule: Rule, value: unknown, path: Path = []): Finding[] {
  if (rule.anyOf) {
    return explainChoice(rule, rule.anyOf, { value, path })
  }
  const choices = choicesOf(rule)
  if (choices) {
    return choices.includes(value) ? [] : [wrongChoice(choices, { value, path, expected: expectation(rule) })]
  }
  if (!hasType(rule, value)) {
    return [{ path, at: 'value', message: `is ${shownType(value)}`, expected: expectation(rule) }]
  }
  if (Array.isArray(value)) {
    return explainList(rule, value, path)
  }
  if (isObject(value)) {
    return explainObject(rule, value, path)
  }
  const message = typeof value === 'string' ? textFault(rule, value) : numberFault(rule, value)
  return message ? [{ path, at: 'value', message, expected: expectation(rule) }] : []
}

interface Place {
  readonly value: unknown
  readonly path: Path
}

function explainChoice(rule: Rule, branches: readonly Rule[], { value, path }: Place): Finding[] {
  const choices = choicesOf(rule)
  if (choices) {
    return choices.includes(value) ? [] : [wrongChoice(choices, { value, path, expected: expectation(rule) })]
  }
  const discriminator = discriminatorOf(branches)
  if (discriminator && isObject(value)) {
    return explainKind(branches, discriminator, { value, path })
  }
  if (branches.some(branch => explain(branch, value, path).length === 0)) {
    return []
  }
  const [only, ...others] = branches.filter(branch => hasType(branch, value) || branch.anyOf)
  if (only && others.length === 0) {
    return explain(only, value, path)
  }
  const message = only ? 'does not have the right form' : `is ${shownType(value)}`
  return [{ path, at: 'value', message, expected: expectation(rule) }]
}

/** The key by whose value objects of a union are told apart. */
function discriminatorOf(branches: readonly Rule[]): string | undefined {
  const [first] = branches
  return Object.keys(first?.properties ?? {}).find(key =>
    branches.every(branch => branch.properties?.[key]?.const !== undefined),
  )
}

function explainKind(branches: readonly Rule[], key: string, { value, path }: Place): Finding[] {
  const kinds = branches.map(branch => branch.properties?.[key]?.const)
  const expected = `one of ${kinds.map(kind => JSON.stringify(kind)).join(', ')}`
  const found = Object.hasOwn(value as object, key) ? (value as Record<string, unknown>)[key] : undefined
  if (found === undefined) {
    return [{ path, at: 'key', message: `has no "${key}"`, expected }]
  }
  const branch = branches[kinds.indexOf(found)]
  return branch
    ? explain(branch, value, path)
    : [wrongChoice(kinds, { value: found, path: [...path, key], expected })]
}

function wrongChoice(choices: readonly unknown[], place: Place & { readonly expected: string }): Finding {
  const { value, path, expected } = place
  const near =
    typeof value === 'string'
      ? nearest(
          value,
          choices.filter(choice => typeof choice === 'string'),
        )
      : undefined
  const message =
    value === null || typeof value === 'object'
      ? `is ${shownType(value)}`
      : `is not known: ${JSON.stringify(value).slice(0, 60)}${near ? `; did you mean ${JSON.stringify(near)}?` : ''}`
  return { path, at: 'value', message, expected }
}

function explainList(rule: Rule, value: readonly unknown[], path: Path): Finding[] {
  const { minItems, maxItems, items } = rule
  const size = sizeFault(value.length, { least: minItems, most: maxItems })
  if (size) {
    return [{ path, at: 'value', ...size }]
  }
  return items ? value.flatMap((item, index) => explain(items, item, [...path, index])) : []
}

function sizeFault(
  size: number,
  { least = 0, most = Number.POSITIVE_INFINITY }: { least?: number | undefined; most?: number | undefined },
): { message: string; expected: string } | undefined {
  if (size >= least && size <= most) {
    return undefined
  }
  return { message: `has ${size} entries`, expected: size < least ? `at least ${least}` : `at most ${most}` }
}

function explainObject(rule: Rule, value: Readonly<Record<string, unknown>>, path: Path): Finding[] {
  const size = sizeFault(Object.keys(value).length, { least: rule.minProperties, most: rule.maxProperties })
  if (size) {
    return [{ path, at: 'value', ...size }]
  }
  const missing = (rule.required ?? [])
    .filter(key => !Object.hasOwn(value, key))
    .map(key => ({
      path,
      at: 'key' as const,
      message: `has no "${key}"`,
      expected: expectation(rule.properties?.[key] ?? {}),
    }))
  return [
    ...missing,
    ...Object.entries(value).flatMap(([key, item]) => explainKey(rule, key, { value: item, path })),
  ]
}

function explainKey(rule: Rule, key: string, { value, path }: Place): Finding[] {
  const inside = [...path, key]
  const known = rule.properties ?? {}
  const own = Object.hasOwn(known, key) ? known[key] : undefined
  const [pattern, byPattern] =
    Object.entries(rule.patternProperties ?? {}).find(([each]) => new RegExp(each, 'u').test(key)) ?? []
  const fitting =
    own ??
    byPattern ??
    (typeof rule.additionalProperties === 'object' ? rule.additionalProperties : undefined)
  if (fitting) {
    return explain(fitting, value, inside)
  }
  if (rule.additionalProperties !== false || pattern) {
    return []
  }
  const [form] = Object.keys(rule.patternProperties ?? {})
  if (form !== undefined) {
    return [
      {
        path: inside,
        at: 'key',
        message: 'is a name that is not allowed',
        expected: `a name of the form ${form}`,
      },
    ]
  }
  const near = nearest(key, Object.keys(known))
  const message = `is not a known key${near ? `; did you mean "${near}"?` : ''}`
  return [{ path: inside, at: 'key', message, expected: expectation({ type: 'object', properties: known }) }]
}

function textFault(
  { pattern, minLength = 0, maxLength = Number.POSITIVE_INFINITY }: Rule,
  value: string,
): string | undefined {
  if (value.length > maxLength) {
    return `has more than ${maxLength} characters`
  }
  if (value.length < minLength) {
    return 'is too short'
  }
  return pattern !== undefined && !new RegExp(pattern, 'u').test(value)
    ? 'does not have the right form'
    : undefined
}

function numberFault({ minimum, maximum }: Rule, value: unknown): string | undefined {
  if (typeof value !== 'number') {
    return undefined
  }
  const isOutside = value < (minimum ?? value) || value > (maximum ?? value)
  return isOutside ? `is ${value}` : undefined
}

function hasType({ type, anyOf, const: only }: Rule, value: unknown): boolean {
  if (anyOf) {
    return anyOf.some(branch => hasType(branch, value))
  }
  if (only !== undefined) {
    return typeof only === typeof value
  }
  switch (type) {
    case 'integer':
      return Number.isSafeInteger(value)
    case 'number':
      return Number.isFinite(value)
    case 'array':
      return Array.isArray(value)
    case 'object':
      return isObject(value)
    case 'null':
      return value === null
    case undefined:
      return true
    default:
      return typeof value === type
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function shownType(value: unknown): string {
  if (value === null) {
    return 'empty'
  }
  if (Array.isArray(value)) {
    return 'a list'
  }
  const names = { string: 'a text', number: 'a number', boolean: 'true or false', object: 'a group of keys' }
  return names[typeof value as keyof typeof names] ?? 'something else'
}

import type { TSchema } from 'typebox'

/** The keywords of JSON Schema that TypeBox writes and deploy files use. */
export interface Rule {
  readonly type?: string
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Rule[]
  readonly description?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly items?: Rule
  readonly properties?: Readonly<Record<string, Rule>>
  readonly required?: readonly string[]
  readonly patternProperties?: Readonly<Record<string, Rule>>
  readonly additionalProperties?: boolean | Rule
  readonly minProperties?: number
  readonly maxProperties?: number
}

export function ruleOf(schema: TSchema): Rule {
  return schema as Rule
}

/** What a schema wants, in words: "a whole number from 1 to 65535". */
export function expectation(rule: Rule): string {
  const words = wordsOf(rule)
  return rule.description && !rule.anyOf && !choicesOf(rule)
    ? `${words} (${rule.description.replace(/\.$/, '')})`
    : words
}

/** The values of a schema that allows a closed set of them, else undefined. */
export function choicesOf(rule: Rule): readonly unknown[] | undefined {
  if (rule.const !== undefined) {
    return [rule.const]
  }
  if (rule.enum) {
    return rule.enum
  }
  const choices = rule.anyOf?.map(choicesOf)
  return choices?.every(choice => choice !== undefined) ? choices.flat() : undefined
}

function wordsOf(rule: Rule): string {
  const choices = choicesOf(rule)
  if (choices) {
    return choices.length === 1 ? shown(choices[0]) : `one of ${choices.map(shown).join(', ')}`
  }
  if (rule.anyOf) {
    return [...new Set(rule.anyOf.map(expectation))].join(' or ')
  }
  switch (rule.type) {
    case 'string':
      return 'a text'
    case 'integer':
      return `a whole number${range(rule)}`
    case 'number':
      return `a number${range(rule)}`
    case 'boolean':
      return 'true or false'
    case 'array':
      return rule.items ? `a list, each ${wordsOf(rule.items)}` : 'a list'
    case 'object':
      return rule.properties ? `keys: ${Object.keys(rule.properties).join(', ')}` : 'names with values'
    default:
      return 'another value'
  }
}

function shown(value: unknown): string {
  return JSON.stringify(value)
}

function range({ minimum, maximum }: Rule): string {
  if (minimum !== undefined && maximum !== undefined) {
    return ` from ${minimum} to ${maximum}`
  }
  if (minimum !== undefined) {
    return ` of at least ${minimum}`
  }
  return maximum === undefined ? '' : ` of at most ${maximum}`
}

/** The part of JSON Schema that forms are made from. */
export interface Schema {
  readonly type?: string
  readonly title?: string
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  /** Its value would stand where everybody reads it: the name of a secret is wanted instead. */
  readonly writeOnly?: boolean
}

export type FieldKind = 'text' | 'number' | 'switch' | 'choice' | 'list' | 'json'

/** What an app mostly needs to be told, of all targets: the rest is shown after a click. */
export const USUAL_FIRST = ['domain', 'domains', 'port', 'dockerfile', 'files', 'routes', 'path', 'verify']

export interface Field {
  readonly name: string
  readonly label: string
  readonly kind: FieldKind
  readonly help: string
  readonly isRequired: boolean
  readonly choices: readonly string[]
  readonly usual: unknown
}

/** The fields of a form for an object; what has no simple form is written as JSON. */
export function fieldsOf(schema: Schema, leftOut: readonly string[] = []): Field[] {
  return Object.entries(schema.properties ?? {})
    .filter(([name]) => !leftOut.includes(name))
    .map(([name, each]) => {
      const choices = choicesOf(each)
      return {
        name,
        label: each.title ?? name,
        kind: kindOf(each, choices),
        help: helpOf(name, each),
        isRequired: schema.required?.includes(name) ?? false,
        choices,
        usual: each.default,
      }
    })
}

function helpOf(name: string, { title, description = '', writeOnly }: Schema): string {
  return [
    title === undefined || title === name ? '' : `${name}.`,
    description,
    writeOnly === true ? 'Write $ and the name of a secret of the app.' : '',
  ]
    .filter(Boolean)
    .join(' ')
}

function choicesOf({ enum: words, anyOf = [] }: Schema): string[] {
  const values = words ?? anyOf.map(each => each.const)
  return values.length > 0 && values.every(value => typeof value === 'string') ? (values as string[]) : []
}

function kindOf({ type, items }: Schema, choices: readonly string[]): FieldKind {
  if (choices.length > 0) {
    return 'choice'
  }
  switch (type) {
    case 'string':
      return 'text'
    case 'integer':
    case 'number':
      return 'number'
    case 'boolean':
      return 'switch'
    case 'array':
      return items?.type === 'string' ? 'list' : 'json'
    default:
      return 'json'
  }
}

/** A value as it stands in its field. */
export function asText(kind: FieldKind, value: unknown): string {
  if (value === undefined || value === null) {
    return ''
  }
  if (kind === 'list' && isPlainList(value)) {
    return value.join(', ')
  }
  return kind === 'json' || kind === 'list' ? JSON.stringify(value) : String(value)
}

/** Whether it can be written with commas, and read again as it was. */
function isPlainList(value: unknown): value is string[] {
  const isPlain = (each: unknown) =>
    typeof each === 'string' && /^[^\s,[][^,]*$/.test(each) && each.trim() === each
  return Array.isArray(value) && value.length > 0 && value.every(isPlain)
}

/** What was typed as a value; undefined for nothing. Throws what to do when it is none. */
export function fromText(kind: FieldKind, text: string): unknown {
  if (text.trim() === '') {
    return undefined
  }
  switch (kind) {
    case 'number': {
      const number = Number(text)
      if (Number.isNaN(number)) {
        throw new Error('A number is wanted, such as 8080.')
      }
      return number
    }
    case 'switch':
      return text === 'true'
    case 'list':
      if (!text.trim().startsWith('[')) {
        return text
          .split(',')
          .map(each => each.trim())
          .filter(Boolean)
      }
      return fromText('json', text)
    case 'json':
      try {
        return JSON.parse(text) as unknown
      } catch {
        throw new Error('Write it as JSON, such as ["a", "b"] or {"key": "value"}.')
      }
    default:
      return text
  }
}

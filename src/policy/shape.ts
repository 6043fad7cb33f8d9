/** A mapping whose keys are not known yet: what a parsed file or Compose's own JSON holds. */
export type Shape = Readonly<Record<string, unknown>>

/** The mapping, or an empty one when the value is something else. */
export function shapeOf(value: unknown): Shape {
  return isShape(value) ? value : {}
}

export function isShape(value: unknown): value is Shape {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** Text of a scalar; undefined for nothing, lists and mappings. */
export function scalarText(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined
}

/** Is a switch on? Compose takes true, "true", "yes", "on", 1 for it. */
export function isOn(value: unknown): boolean {
  return (
    value !== undefined &&
    value !== null &&
    !['false', 'no', 'off', 'n', '0', ''].includes(String(value).toLowerCase())
  )
}

/** Pairs of a mapping or of a list of `key<separator>value` texts, each with the last part of its path. */
export function pairsOf(value: unknown, separators: readonly string[]): Pair[] {
  if (isShape(value)) {
    return Object.entries(value).map(([key, item]) => ({ at: key, key, value: scalarText(item) ?? '' }))
  }
  return listOf(value).flatMap((item, at) => {
    const text = scalarText(item)
    return text === undefined ? [] : [{ at, ...splitAtFirst(text, separators) }]
  })
}

export interface Pair {
  readonly at: string | number
  readonly key: string
  readonly value: string
}

function splitAtFirst(text: string, separators: readonly string[]): { key: string; value: string } {
  const cut = separators.map(separator => text.indexOf(separator)).filter(index => index > 0)
  if (cut.length === 0) {
    return { key: text, value: '' }
  }
  const index = Math.min(...cut)
  return { key: text.slice(0, index), value: text.slice(index + 1) }
}

/** A list of mappings; entries of other kinds are kept as empty ones so that indexes stay right. */
export function shapesOf(value: unknown): Shape[] {
  return listOf(value).map(shapeOf)
}

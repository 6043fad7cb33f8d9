import { INTERNAL } from '#lib/errors.ts'

type Json = Readonly<Record<string, unknown>>

/** The data with every resultOf(key, field) replaced by that field of the result with that key. */
export function fill(data: Json, results: ReadonlyMap<string, Json>): Json {
  return filled(data, results) as Json
}

function filled(value: unknown, results: ReadonlyMap<string, Json>): unknown {
  if (Array.isArray(value)) {
    return value.map(item => filled(item, results))
  }
  if (typeof value !== 'object' || value === null) {
    return value
  }
  if ('$result' in value && 'field' in value) {
    const result = results.get(String(value.$result))
    if (!result) {
      throw INTERNAL(`the plan refers to "${String(value.$result)}", which has no result yet`)
    }
    const field = result[String(value.field)]
    return 'entry' in value ? (field as Json)[String(value.entry)] : field
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, filled(item, results)]))
}

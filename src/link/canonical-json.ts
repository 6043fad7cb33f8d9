import { createHash } from 'node:crypto'

/** The same text for the same value, whatever the order of its keys. Keys without a value are left out as JSON does. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => (isPlainObject(part) ? sorted(part) : part)) ?? 'null'
}

/** What tells a repeated command from another one under the same id: sha256 of the canonical JSON, hex. */
export function idemOf(params: unknown): string {
  return createHash('sha256').update(canonicalJson(params)).digest('hex')
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function sorted(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}

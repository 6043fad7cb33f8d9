import { createHash } from 'node:crypto'
import { canonicalJson } from '#lib/canonical-json.ts'

/** What tells a repeated command from another one under the same id: sha256 of the canonical JSON of its data, hex. */
export function idemOf(params: unknown, engine?: string): string {
  const whole = engine === undefined ? params : { engine, params }
  return createHash('sha256').update(canonicalJson(whole)).digest('hex')
}

import { readFileSync, statSync } from 'node:fs'
import type { Static, TSchema } from 'typebox'
import { problemsOf } from '#lib/check.ts'
import { IDENTITY_DAMAGED, IDENTITY_MISSING } from './errors.ts'

/** A JSON file that only its owner may read, checked. Throws IDENTITY_MISSING or IDENTITY_DAMAGED; never quotes it. */
export function readPrivateFile<S extends TSchema>(file: string, schema: S): Static<S> {
  const mode = statSync(file, { throwIfNoEntry: false })?.mode
  if (mode === undefined) {
    throw IDENTITY_MISSING(file)
  }
  if ((mode & 0o077) !== 0) {
    throw IDENTITY_DAMAGED(file, `others may read it (mode ${(mode & 0o777).toString(8)}, wanted 600)`)
  }
  let value: unknown
  try {
    value = JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    throw IDENTITY_DAMAGED(file, 'it is not JSON')
  }
  const [problem] = problemsOf(schema, value)
  if (problem) {
    throw IDENTITY_DAMAGED(file, `${problem.path || 'the whole'} ${problem.message}`)
  }
  return value as Static<S>
}

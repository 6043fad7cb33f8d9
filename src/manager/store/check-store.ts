import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { STORE_NEWER } from './errors.ts'
import { MIGRATIONS } from './migrations/index.ts'

export interface CheckedStore {
  /** Newest migration of the database; null: there is none yet. */
  readonly schema: string | null
  /** What a start of this program would apply. */
  readonly missing: readonly string[]
}

/** What a start would do to this database, without touching it. STORE_NEWER when this program is too old for it. */
export function checkStore(file: string): CheckedStore {
  const applied = existsSync(file) ? readApplied(file) : []
  const known = MIGRATIONS.map(({ name }) => name)
  const unknown = applied.find(name => !known.includes(name))
  if (unknown !== undefined) {
    throw STORE_NEWER(file, unknown)
  }
  return { schema: applied.at(-1) ?? null, missing: known.filter(name => !applied.includes(name)) }
}

function readApplied(file: string): string[] {
  const database = new DatabaseSync(file, { readOnly: true })
  try {
    return database
      .prepare('select name from migrations order by name')
      .all()
      .map(({ name }) => String(name))
  } finally {
    database.close()
  }
}

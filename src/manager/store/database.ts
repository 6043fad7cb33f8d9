import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Kysely } from 'kysely'
import { STORE_IN_USE, STORE_UNWRITABLE } from './errors.ts'
import { migrate } from './migrate.ts'
import { PatientDialect } from './patient-dialect.ts'
import { createSqlite } from './sqlite.ts'
import { isBusy, storeError } from './store-error.ts'
import type { Tables } from './tables.ts'

export interface Store {
  readonly db: Kysely<Tables>
  /** Migrations that this start applied. */
  readonly migrated: readonly string[]
  close(): Promise<void>
}

/** Opens (and makes, and migrates) the database in the folder, which this process alone may use until it closes. */
export async function openStore(folder: string, now: () => number): Promise<Store> {
  const lock = takeFolder(folder)
  try {
    const file = join(folder, 'fairlead.db')
    const sqlite = createSqlite(file)
    const db = new Kysely<Tables>({ dialect: new PatientDialect({ database: sqlite }) })
    try {
      const migrated = await migrate(db as Kysely<unknown>, { file, now })
      return { db, migrated, close: () => closeAll(db, lock) }
    } catch (error) {
      sqlite.close()
      throw error
    }
  } catch (error) {
    lock.close()
    throw error
  }
}

async function closeAll(db: Kysely<Tables>, lock: DatabaseSync): Promise<void> {
  await db.destroy()
  lock.close()
}

/**
 * A lock that the operating system gives back when the process dies, in a file of its own:
 * other programs can still read the database (a backup, a curious administrator).
 */
function takeFolder(folder: string): DatabaseSync {
  makeFolder(folder)
  const file = join(folder, 'fairlead.lock')
  let lock: DatabaseSync | undefined
  try {
    lock = new DatabaseSync(file)
    lock.exec('begin exclusive')
    return lock
  } catch (error) {
    lock?.close()
    throw isBusy(error) ? STORE_IN_USE(folder) : storeError(error, file)
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw STORE_UNWRITABLE(folder, error instanceof Error ? error.message : String(error)).with({
      cause: error,
    })
  }
}

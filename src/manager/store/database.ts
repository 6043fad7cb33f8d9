import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Dialect, Kysely, type Transaction } from 'kysely'
import { STORE_IN_USE, STORE_TWICE, STORE_UNWRITABLE } from './errors.ts'
import { refuseUnfinished } from './filling.ts'
import { takeLock } from './folder-lock.ts'
import { migrate, type Product } from './migrate.ts'
import { PatientDialect } from './patient-dialect.ts'
import { type PostgresAddress, placeOf } from './postgres-address.ts'
import { createSqlite } from './sqlite.ts'
import type { Tables } from './tables.ts'

/** Below the folder of the manager. */
export const DATABASE_FILE = 'fairlead.db'
export const LOCK_FILE = 'fairlead.lock'

export interface Store {
  readonly db: Kysely<Tables>
  /** Migrations that this start applied. */
  readonly migrated: readonly string[]
  close(): Promise<void>
}

/** A database of a server. */
export type ServerAddress = PostgresAddress & {
  /** Hears that the connection was lost. Without a listener it is made again. */
  readonly onLost?: () => void
  /** For a restore: fills the database in the transaction that makes its tables. Others refuse one that is half filled. */
  readonly fill?: (db: Transaction<Tables>, made: { readonly isNew: boolean }) => Promise<void>
}

/**
 * Opens and migrates the database: the file in the folder, which is made, or the one of a PostgreSQL server. This
 * process alone may use folder and database until it closes.
 */
export async function openStore(
  folder: string,
  now: () => number,
  address?: ServerAddress | undefined,
): Promise<Store> {
  const lock = takeFolder(folder)
  try {
    const file = join(folder, DATABASE_FILE)
    const { dialect, ...place } = address ? await inServer(address, file) : inFile(file)
    const db = new Kysely<Tables>({ dialect })
    try {
      const fill = address?.fill
      const migrated = await migrate(db as Kysely<unknown>, { ...place, now, ...(fill ? { fill } : {}) })
      await (fill ? undefined : refuseUnfinished(db, place.file))
      return { db, migrated, close: () => closeAll(db, lock) }
    } catch (error) {
      await db.destroy()
      throw error
    }
  } catch (error) {
    lock.close()
    throw error
  }
}

interface Place {
  readonly dialect: Dialect
  readonly file: string
  readonly product: Product
}

function inFile(file: string): Place {
  return { file, product: 'sqlite', dialect: new PatientDialect({ database: createSqlite(file) }) }
}

/** Loaded only where it is used: it takes some memory. */
async function inServer(address: ServerAddress, unused: string): Promise<Place> {
  if (existsSync(unused)) {
    throw STORE_TWICE(unused)
  }
  const { postgresDialect } = await import('./postgres.ts')
  return { file: placeOf(address), product: 'postgres', dialect: postgresDialect(address, address.onLost) }
}

async function closeAll(db: Kysely<Tables>, lock: { close(): void }): Promise<void> {
  await db.destroy()
  lock.close()
}

/** In a file of its own: other programs can still read the database (a backup, a curious administrator). */
function takeFolder(folder: string): { close(): void } {
  makeFolder(folder)
  const lock = takeLock(join(folder, LOCK_FILE))
  if (!lock) {
    throw STORE_IN_USE(`the data folder ${folder}`)
  }
  return lock
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

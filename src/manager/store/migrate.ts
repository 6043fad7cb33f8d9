import { type Kysely, sql } from 'kysely'
import { STORE_FOREIGN, STORE_NEWER } from './errors.ts'
import { MIGRATIONS, type Migration } from './migrations/index.ts'

/** "FLED" in SQLite's application_id: the file is ours. */
const APPLICATION_ID = 0x464c4544

export interface MigrateOptions {
  /** Named in errors. */
  readonly file: string
  readonly now: () => number
  readonly migrations?: readonly Migration[]
}

/**
 * Brings the database to the program's schema in one transaction: all or nothing, also when the process is killed.
 * Refuses a database that a newer program has migrated. Gives the names of the migrations applied.
 */
export async function migrate(db: Kysely<unknown>, options: MigrateOptions): Promise<string[]> {
  const migrations = options.migrations ?? MIGRATIONS
  return await db.transaction().execute(async transaction => {
    await claimFile(transaction, options.file)
    const applied = await readApplied(transaction)
    const unknown = applied.find(name => !migrations.some(migration => migration.name === name))
    if (unknown !== undefined) {
      throw STORE_NEWER(options.file, unknown)
    }
    const missing = migrations.filter(migration => !applied.includes(migration.name))
    for (const { name, up } of missing) {
      await up(transaction)
      await sql`insert into migrations (name, applied_at) values (${name}, ${options.now()})`.execute(
        transaction,
      )
    }
    return missing.map(({ name }) => name)
  })
}

/** A new file becomes ours; a file with another program's tables is left alone. */
async function claimFile(db: Kysely<unknown>, file: string): Promise<void> {
  const { rows } = await sql<{ application_id: number }>`pragma application_id`.execute(db)
  if (rows[0]?.application_id === APPLICATION_ID) {
    return
  }
  const tables = await sql`select name from sqlite_master limit 1`.execute(db)
  if (tables.rows.length > 0) {
    throw STORE_FOREIGN(file)
  }
  await sql.raw(`pragma application_id = ${APPLICATION_ID}`).execute(db)
  await sql`create table migrations (name text primary key, applied_at bigint not null)`.execute(db)
}

async function readApplied(db: Kysely<unknown>): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`select name from migrations order by name`.execute(db)
  return rows.map(row => row.name)
}

import { type Kysely, sql, type Transaction } from 'kysely'
import { STORE_FOREIGN, STORE_NEWER } from './errors.ts'
import { MIGRATIONS, type Migration } from './migrations/index.ts'
import { addFunctions, TRANSLATES } from './postgres-migrations.ts'
import type { Tables } from './tables.ts'

/** "FLED" in SQLite's application_id: the file is ours. */
const APPLICATION_ID = 0x464c4544

/** Written down at its table of migrations in PostgreSQL: the database is ours. */
const MARK = 'Fairlead'

export type Product = 'sqlite' | 'postgres'

export interface MigrateOptions {
  /** Default: SQLite. */
  readonly product?: Product
  /** Named in errors. */
  readonly file: string
  readonly now: () => number
  readonly migrations?: readonly Migration[]
  /** Done in the same transaction, when the schema is there. */
  readonly fill?: (db: Transaction<Tables>, made: { readonly isNew: boolean }) => Promise<void>
}

/**
 * Brings the database to the program's schema in one transaction: all or nothing, also when the process is killed.
 * Refuses a database that a newer program has migrated. Gives the names of the migrations applied.
 */
export async function migrate(db: Kysely<unknown>, options: MigrateOptions): Promise<string[]> {
  const migrations = options.migrations ?? MIGRATIONS
  const isServer = options.product === 'postgres'
  return await db.transaction().execute(async plain => {
    const transaction = isServer ? plain.withPlugin(TRANSLATES) : plain
    await (isServer ? claimDatabase : claimFile)(transaction, options.file)
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
    await options.fill?.(plain as Transaction<Tables>, { isNew: applied.length === 0 })
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

/** The same for a database of a server: an empty one becomes ours. */
async function claimDatabase(db: Kysely<unknown>, place: string): Promise<void> {
  const ours = await sql<{ mark: string | null }>`
    select obj_description(to_regclass('migrations'), 'pg_class') as mark`.execute(db)
  if (ours.rows[0]?.mark !== MARK) {
    const tables = await sql`
      select tablename from pg_tables where schemaname = current_schema() limit 1`.execute(db)
    if (tables.rows.length > 0) {
      throw STORE_FOREIGN(place)
    }
    await sql`create table migrations (name text primary key, applied_at bigint not null)`.execute(db)
    await sql.raw(`comment on table migrations is '${MARK}'`).execute(db)
  }
  await addFunctions(db.withoutPlugins())
}

async function readApplied(db: Kysely<unknown>): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`select name from migrations order by name`.execute(db)
  return rows.map(row => row.name)
}

import { DatabaseSync } from 'node:sqlite'
import { type Kysely, sql } from 'kysely'
import type { Tables } from './tables.ts'
import { type TableOfFile, tablesOf } from './tables-of-file.ts'
import { inTransaction } from './transaction.ts'

/** Rows that go in one statement: those of logs have up to a megabyte. */
const ROWS = 100

/** Fills a database of a server, which has its tables already, with what is in a file alone: everything or nothing. */
export async function copyFileToServer(file: string, db: Kysely<Tables>): Promise<void> {
  const database = new DatabaseSync(file, { readOnly: true })
  try {
    await inTransaction(db, async inside => {
      const tables = tablesOf(database)
      // Rows come table by table: one may name another that is not there yet.
      const references = await referencesIn(inside)
      for (const { table, name } of references) {
        await sql.raw(`alter table ${table} drop constraint "${name}"`).execute(inside)
      }
      for (const table of tables) {
        await fillTable(inside, database, table)
      }
      for (const { table, name, definition } of references) {
        await sql.raw(`alter table ${table} add constraint "${name}" ${definition}`).execute(inside)
      }
      await continueNumbers(inside, database)
    })
  } finally {
    database.close()
  }
}

interface Reference {
  readonly table: string
  readonly name: string
  readonly definition: string
}

async function referencesIn(db: Kysely<Tables>): Promise<readonly Reference[]> {
  const { rows } = await sql<Reference>`
    select conrelid::regclass::text as "table", conname as name, pg_get_constraintdef(oid) as definition
    from pg_constraint where contype = 'f' and connamespace = current_schema()::regnamespace
  `.execute(db)
  return rows
}

async function fillTable(
  db: Kysely<Tables>,
  database: DatabaseSync,
  { name, columns }: TableOfFile,
): Promise<void> {
  const list = columns.map(column => `"${column}"`).join(', ')
  await sql.raw(`alter table "${name}" disable trigger user`).execute(db)
  // What migrations put there, the file has as well.
  await sql.raw(`delete from "${name}"`).execute(db)
  let rows: unknown[] = []
  const put = async () => {
    const text = JSON.stringify(rows)
    await sql`insert into ${sql.table(name)} (${sql.raw(list)})
      select ${sql.raw(list)} from json_populate_recordset(null::${sql.table(name)}, ${text}::json)`.execute(
      db,
    )
    rows = []
  }
  for (const row of database.prepare(`select ${list} from "${name}"`).iterate()) {
    rows.push(row)
    if (rows.length === ROWS) {
      await put()
    }
  }
  await (rows.length > 0 ? put() : undefined)
  await sql.raw(`alter table "${name}" enable trigger user`).execute(db)
}

/** No number is given a second time, also not that of a row that is gone. */
async function continueNumbers(db: Kysely<Tables>, database: DatabaseSync): Promise<void> {
  const { rows } = await sql<{ table: string; column: string }>`
    select table_name as "table", column_name as "column" from information_schema.columns
    where table_schema = current_schema() and is_identity = 'YES'
  `.execute(db)
  for (const { table, column } of rows) {
    const last = database.prepare('select seq from sqlite_sequence where name = ?').get(table)?.seq
    if (last !== undefined) {
      await sql`select setval(pg_get_serial_sequence(${table}, ${column}), ${last})`.execute(db)
    }
  }
}

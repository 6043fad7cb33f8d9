import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { Kysely } from 'kysely'
import { STORE_FOREIGN, STORE_NEWER } from './errors.ts'
import { migrate } from './migrate.ts'
import { MIGRATIONS } from './migrations/index.ts'
import { PatientDialect } from './patient-dialect.ts'
import { type PostgresAddress, placeOf } from './postgres-address.ts'
import { connect, type Line } from './postgres-session.ts'
import { createSqlite } from './sqlite.ts'
import { tablesOf } from './tables-of-file.ts'

/** Rows that are asked for at once: those of logs have up to a megabyte. */
const ROWS = 100

/**
 * Makes a file of the database of a server, as it was at one moment: one snapshot, beside the manager that writes on.
 * The file has the schema that the database has. The tables `without` stay empty.
 */
export async function copyServerToFile(
  address: PostgresAddress,
  file: string,
  { now, without = [] }: { readonly now: () => number; readonly without?: readonly string[] },
): Promise<void> {
  const line = await connect(address)
  try {
    await line.query('begin isolation level repeatable read read only')
    await makeFile(file, { names: await appliedIn(line, placeOf(address)), place: placeOf(address), now })
    await fillFile(file, line, without)
    await line.query('commit')
  } finally {
    await line.close()
  }
}

async function appliedIn(line: Line, place: string): Promise<readonly string[]> {
  const { rows } = await line.query(`select to_regclass('migrations') is not null as ours`)
  if (rows[0]?.ours !== 1) {
    throw STORE_FOREIGN(place)
  }
  const applied = await line.query('select name from migrations order by name')
  return applied.rows.map(({ name }) => String(name))
}

async function makeFile(
  file: string,
  { names, place, now }: { names: readonly string[]; place: string; now: () => number },
): Promise<void> {
  const unknown = names.find(name => !MIGRATIONS.some(each => each.name === name))
  if (unknown !== undefined) {
    throw STORE_NEWER(place, unknown)
  }
  const db: Kysely<unknown> = new Kysely({ dialect: new PatientDialect({ database: createSqlite(file) }) })
  try {
    await migrate(db, { file, now, migrations: MIGRATIONS.filter(({ name }) => names.includes(name)) })
  } finally {
    await db.destroy()
  }
}

async function fillFile(file: string, line: Line, without: readonly string[]): Promise<void> {
  // Rows come table by table: one may name another that is not there yet.
  const database = new DatabaseSync(file, { enableForeignKeyConstraints: false })
  try {
    database.exec('begin')
    const triggers = database.prepare(`select name, sql from sqlite_master where type = 'trigger'`).all()
    for (const { name } of triggers) {
      database.exec(`drop trigger "${name}"`)
    }
    for (const { name, columns } of tablesOf(database)) {
      // What migrations put there, the server has as well.
      database.exec(`delete from "${name}"`)
      if (!without.includes(name)) {
        await fillTable(database, line, { name, columns })
      }
    }
    await continueNumbers(database, line)
    for (const { sql } of triggers) {
      database.exec(String(sql))
    }
    database.exec('commit')
  } finally {
    database.close()
  }
}

async function fillTable(
  database: DatabaseSync,
  line: Line,
  { name, columns }: { readonly name: string; readonly columns: readonly string[] },
): Promise<void> {
  const list = columns.map(column => `"${column}"`).join(', ')
  const insert = database.prepare(
    `insert into "${name}" (${list}) values (${columns.map(() => '?').join(', ')})`,
  )
  await line.query(`declare copied no scroll cursor for select ${list} from "${name}"`)
  for (;;) {
    const { rows } = await line.query(`fetch ${ROWS} from copied`)
    for (const row of rows as Record<string, SQLInputValue>[]) {
      insert.run(...columns.map(column => row[column] ?? null))
    }
    if (rows.length < ROWS) {
      break
    }
  }
  await line.query('close copied')
}

/** No number is given a second time, also not that of a row that is gone. */
async function continueNumbers(database: DatabaseSync, line: Line): Promise<void> {
  const { rows } = await line.query(`select c.relname as "table", s.last_value as last
    from pg_sequences s
    join pg_depend d on d.objid = format('%I.%I', s.schemaname, s.sequencename)::regclass and d.deptype = 'i'
    join pg_class c on c.oid = d.refobjid
    where s.schemaname = current_schema() and s.last_value is not null`)
  for (const { table, last } of rows) {
    database.prepare('delete from sqlite_sequence where name = ?').run(table)
    database.prepare('insert into sqlite_sequence (name, seq) values (?, ?)').run(table, last)
  }
}

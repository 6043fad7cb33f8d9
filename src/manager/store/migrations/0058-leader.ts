import { type Kysely, sql } from 'kysely'

/** Several managers on one database: which of them leads, and what they share besides it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    await sql.raw(statement).execute(db)
  }
}

const STATEMENTS = [
  `create table leader (
    id text not null primary key check (id = 'leader'),
    epoch integer not null,
    name text not null,
    address text not null,
    session integer not null,
    certificate text not null,
    key_sealed text not null,
    taken_at integer not null,
    renewed_at integer not null
  )`,
  `create table shared_files (
    name text not null primary key,
    content_sealed text not null
  )`,
]

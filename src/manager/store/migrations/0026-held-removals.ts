import { type Kysely, sql } from 'kysely'

/** Removals that files ask for and that wait for a person, and repositories that are read from another place since. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    await sql.raw(statement).execute(db)
  }
}

const STATEMENTS = [
  `create table held_removals (app_id text primary key references apps(id) on delete cascade, why text not null,
    tip text not null, created_at bigint not null, allowed_by text, allowed_at bigint)`,
  'alter table repositories add column moved integer not null default 0',
]

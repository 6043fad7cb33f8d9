import { type Kysely, sql } from 'kysely'

/** What a running deployment found out up to its plan, and which rollbacks mean "the one before", whatever runs by then. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    await sql.raw(statement).execute(db)
  }
}

const STATEMENTS = [
  'alter table deployments add column facts_sealed text',
  'alter table deployments add column wanted_previous integer not null default 0',
]

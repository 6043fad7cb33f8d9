import { type Kysely, sql } from 'kysely'

/** On which Docker engine of its host an app is, which ones it has left something on, and what hosts tell of theirs. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    await sql.raw(statement).execute(db)
  }
}

const STATEMENTS = [
  'alter table apps add column engine text',
  'alter table apps add column left_engines text',
  'alter table hosts add column engines text',
]

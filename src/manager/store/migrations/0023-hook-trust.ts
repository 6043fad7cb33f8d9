import { type Kysely, sql } from 'kysely'

/** What a hook refused last, and which of its secrets was of use last. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    await sql.raw(statement).execute(db)
  }
}

const STATEMENTS = [
  `alter table hooks add column last_refused_at bigint`,
  `alter table hooks add column last_refused_reason text`,
  `alter table hooks add column verified_with text`,
]

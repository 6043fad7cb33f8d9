import { type Kysely, sql } from 'kysely'

/** Apps that are a folder of their host, and calls that were signed with an id: each id counts once. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    await sql.raw(statement).execute(db)
  }
}

const STATEMENTS = [
  `alter table apps add column stack text`,
  `create unique index apps_by_stack on apps (host, stack) where stack is not null`,
  `create table signed_calls (id text primary key, received_at bigint not null)`,
]

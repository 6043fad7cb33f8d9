import { type Kysely, sql } from 'kysely'

/** Keys of hosts that change, and named lists of addresses that the firewall knows. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    await sql.raw(statement).execute(db)
  }
}

const STATEMENTS = [
  'alter table hosts add column successor text',
  `create table address_lists (name text primary key, source text not null, networks text not null,
    created_at bigint not null, fetched_at bigint not null, asked_at bigint not null, problem text)`,
]

import { type Kysely, sql } from 'kysely'

/** Keys of devices that people sign in with. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    await sql.raw(statement).execute(db)
  }
}

const STATEMENTS = [
  `create table passkeys (id text primary key, person_id text not null references people(id) on delete cascade,
    name text not null, public_key text not null, counter bigint not null, transports text not null,
    created_at bigint not null, used_at bigint)`,
  'create index passkeys_by_person on passkeys (person_id)',
]

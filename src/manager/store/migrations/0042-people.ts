import { type Kysely, sql } from 'kysely'

/** Accounts of people and their sessions. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    await sql.raw(statement).execute(db)
  }
}

const STATEMENTS = [
  `create table people (id text primary key, name text not null, email text not null unique, password text,
    role text, totp_sealed text, totp_at bigint, totp_step bigint, recovery text, invitation_hash text unique,
    invitation_until bigint, disabled_at bigint, created_at bigint not null)`,
  `create table sessions (id text primary key, hash text not null unique,
    person_id text not null references people (id) on delete cascade, awaits_factor integer not null default 0,
    created_at bigint not null, used_at bigint not null, ends_at bigint not null, address text not null,
    program text not null)`,
  'create index sessions_person on sessions (person_id)',
]

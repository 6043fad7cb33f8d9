import { type Kysely, sql } from 'kysely'

/** Tokens with which hosts enrol, keys that are never accepted again, and whether a host that joined was ever reached. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    await sql.raw(statement).execute(db)
  }
}

const STATEMENTS = [
  `create table join_tokens (id text primary key, secret_sealed text not null, role text not null, name text,
    networks text not null, created_by text not null, created_at bigint not null, expires_at bigint not null,
    failures integer not null default 0, revoked_at bigint, used_at bigint, used_by text, used_for text)`,
  'create table revoked_keys (key_id text primary key, name text not null, revoked_at bigint not null)',
  'alter table hosts add column joined_at bigint',
  'alter table hosts add column connected_at bigint',
  'alter table hosts add column warned_days integer',
  // Before there were tokens, a person compared the keys.
  'update hosts set connected_at = created_at',
]

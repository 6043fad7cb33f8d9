import { type Kysely, sql } from 'kysely'

/** Keys that files in a repository are encrypted for, and what releases took from such files. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    await sql.raw(statement).execute(db)
  }
}

const STATEMENTS = [
  `create table repository_keys (id text primary key, repository_id text not null references repositories(id) on delete cascade,
    recipient text not null, identity_sealed text not null, created_at bigint not null)`,
  'create index repository_keys_of on repository_keys (repository_id, id)',
  `create table file_secrets (id text primary key, app_id text not null references apps(id) on delete cascade,
    digest text not null, values_sealed text not null, created_at bigint not null, unique (app_id, digest))`,
]

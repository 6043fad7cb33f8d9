import { type Kysely, sql } from 'kysely'

/** Secrets that all apps of a repository or of a host may use. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    await sql.raw(statement).execute(db)
  }
}

const STATEMENTS = [
  `create table shared_secrets (id text primary key, repository_id text references repositories(id) on delete cascade,
    host text references hosts(name) on delete cascade, name text not null, revision integer not null, value_sealed text not null,
    is_present integer not null, created_at bigint not null)`,
  'create index shared_secrets_of_repository on shared_secrets (repository_id, name) where repository_id is not null',
  'create index shared_secrets_of_host on shared_secrets (host, name) where host is not null',
]

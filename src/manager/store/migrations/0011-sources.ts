import { type Kysely, sql } from 'kysely'

/** Organisations whose repositories may be deployed, and what makes a repository one of them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    await sql.raw(statement).execute(db)
  }
}

const STATEMENTS = [
  `create table organisations (id text primary key, name text not null unique, git_host text not null, server text not null,
    owner text not null, remote_id text not null, credential_sealed text, ca text, host text not null, discovery integer not null,
    marker text not null, etag text, listed_at bigint, due_at bigint not null, failures integer not null default 0, problem text,
    version integer not null default 1, created_at bigint not null, updated_at bigint not null)`,
  `create unique index organisations_by_owner on organisations (server, owner collate nocase)`,
  `alter table repositories add column compose_path text`,
  `alter table repositories add column organisation_id text references organisations(id) on delete set null`,
  `alter table repositories add column remote_id text`,
  `alter table repositories add column stopped text`,
  `alter table repositories add column org_credential integer not null default 0`,
  `create index repositories_by_organisation on repositories (organisation_id)`,
]

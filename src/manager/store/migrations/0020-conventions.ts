import { type Kysely, sql } from 'kysely'

/** Which apps came from the names of a repository's files, and whether messages of commits may say what is done. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    await sql.raw(statement).execute(db)
  }
}

const STATEMENTS = [
  'alter table apps add column by_files text',
  'alter table repositories add column commit_actions integer not null default 0',
  `create table message_removals (repository_id text not null references repositories(id) on delete cascade,
    entry text not null, fingerprint text not null, created_at bigint not null, primary key (repository_id, entry))`,
]

import { type Kysely, sql } from 'kysely'

/** Who may push where in the managed registry. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      'create table registry_paths (path text primary key, repository_id text not null, app text not null, created_at bigint not null)',
    )
    .execute(db)
}

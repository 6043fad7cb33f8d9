import { type Kysely, sql } from 'kysely'

/** Which slugs projects of notebooks were given. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `create table notebook_slugs (repository_id text not null references repositories(id) on delete cascade,
        folder text not null, slug text not null, primary key (repository_id, folder))`,
    )
    .execute(db)
}

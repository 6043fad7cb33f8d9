import { type Kysely, sql } from 'kysely'

/** What systems get at their first start, under names that people choose from. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table system_profiles (name text primary key, packages text not null, updated_at bigint not null)`.execute(
    db,
  )
}

import { type Kysely, sql } from 'kysely'

/** What a worker tells of the Incus cluster that it talks to. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table hosts add column cluster text`.execute(db)
}

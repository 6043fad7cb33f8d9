import { type Kysely, sql } from 'kysely'

/** Backups of systems that were carried to another host: of which one they are the copy. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table system_backups add column copy_of text`.execute(db)
}

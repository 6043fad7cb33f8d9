import { type Kysely, sql } from 'kysely'

/** Which images the tags of an app meant when they were last seen to have moved. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw('alter table apps add column moved_images text').execute(db)
}

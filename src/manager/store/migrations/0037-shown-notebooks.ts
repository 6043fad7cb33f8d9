import { type Kysely, sql } from 'kysely'

/** Notebook projects without a server. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw('alter table notebooks add column shown text').execute(db)
}

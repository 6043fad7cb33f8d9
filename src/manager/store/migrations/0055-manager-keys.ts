import { type Kysely, sql } from 'kysely'

/** Which key of the manager a host has learnt, while that changes. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw('alter table hosts add column manager_key text').execute(db)
}

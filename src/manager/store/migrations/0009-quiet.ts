import { type Kysely, sql } from 'kysely'

/** A queued deployment of a burst of requests waits until they have ended. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw('alter table deployments add column starts_at bigint').execute(db)
  await sql.raw('alter table deployments add column starts_by bigint').execute(db)
}

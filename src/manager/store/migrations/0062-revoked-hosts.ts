import { type Kysely, sql } from 'kysely'

/** Hosts whose key is refused although apps still name them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw('alter table hosts add column revoked_at bigint').execute(db)
}

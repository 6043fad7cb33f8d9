import { type Kysely, sql } from 'kysely'

/** The last delivery of a hook is found at once. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw('create index deliveries_by_time on deliveries (hook_id, received_at)').execute(db)
}

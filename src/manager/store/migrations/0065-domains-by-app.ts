import { type Kysely, sql } from 'kysely'

/** A page of apps asks for their domains, and an app that is removed takes its own with it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw('create index domains_by_app on domains (app_id)').execute(db)
}

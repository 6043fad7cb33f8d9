import { type Kysely, sql } from 'kysely'

/** A write without an answer is known by who took it up, not by a time: managers that share a database have other clocks. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw("alter table idempotency add column run text not null default ''").execute(db)
}

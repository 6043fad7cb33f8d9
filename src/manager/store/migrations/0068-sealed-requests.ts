import { type Kysely, sql } from 'kysely'

/** A plain hash of a request with a password in it could be guessed at. What was kept for a day is forgotten. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw('delete from idempotency').execute(db)
  await sql.raw('alter table idempotency rename column request_sha256 to request_sealed').execute(db)
}

import { type Kysely, sql } from 'kysely'

/** When a running deployment is ended, whoever looks after it then. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw('alter table deployments add column deadline_at bigint').execute(db)
}

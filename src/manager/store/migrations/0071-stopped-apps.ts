import { type Kysely, sql } from 'kysely'

/** That a person stopped an app, and who: it stays so until a person starts or deploys it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw('alter table apps add column stopped_at bigint').execute(db)
  await sql.raw('alter table apps add column stopped_by text').execute(db)
}

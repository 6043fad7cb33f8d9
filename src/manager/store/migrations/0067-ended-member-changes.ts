import { type Kysely, sql } from 'kysely'

/** Who wants a change of a member to end before it is done, and the line of the audit log that its end belongs to. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw('alter table member_changes add column cancelled_by text').execute(db)
  await sql.raw('alter table member_changes add column audit text').execute(db)
}

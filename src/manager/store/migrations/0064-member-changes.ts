import { type Kysely, sql } from 'kysely'

/** Members of clusters that are to be emptied, or to get back what they had. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table member_changes (id text primary key, host text not null, member text not null,
    action text not null, state text not null, command text, attempts integer not null, reason text,
    asked_by text not null, created_at bigint not null, ended_at bigint)`.execute(db)
}

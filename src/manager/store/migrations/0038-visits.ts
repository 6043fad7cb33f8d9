import { type Kysely, sql } from 'kysely'

/** Who was let in to guarded apps of which host, and until when at most: they are shut out when they may no longer. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      'create table visits (visitor text not null, host text not null, until bigint not null, primary key (visitor, host))',
    )
    .execute(db)
}

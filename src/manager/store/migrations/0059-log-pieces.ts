import { type Kysely, sql } from 'kysely'

/** Logs of deployments for managers that share a database. They go with their deployment, by whoever removes it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(`create table log_pieces (
      deployment_id text not null,
      segment integer not null,
      at integer not null,
      lines text not null,
      primary key (deployment_id, segment, at)
    )`)
    .execute(db)
}

import { type Kysely, sql } from 'kysely'

/** Deployments of apps that are gone: everything else of an app goes with it, what happened stays to be read. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `create table past_deployments (id text primary key, app text not null, state text not null,
         deployment text not null, steps text not null)`,
    )
    .execute(db)
  await sql.raw(`create index past_deployments_by_app on past_deployments (app, id)`).execute(db)
}

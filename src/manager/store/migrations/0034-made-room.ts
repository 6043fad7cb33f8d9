import { type Kysely, sql } from 'kysely'

/** Written before such an app is ended, so that it is brought back when the deployment fails, whatever crashes meanwhile. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `create table made_room (deployment_id text not null references deployments(id) on delete cascade,
        app_id text not null references apps(id) on delete cascade, primary key (deployment_id, app_id)) without rowid`,
    )
    .execute(db)
}

import { type Kysely, sql } from 'kysely'

/** Ports of hosts that apps bind there, from before anything of a deployment is started. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    await sql.raw(statement).execute(db)
  }
}

const STATEMENTS = [
  `create table published_ports (app_id text not null references apps(id) on delete cascade,
    deployment_id text not null, engine text not null, protocol text not null, first integer not null,
    last integer not null, address text)`,
  'create index published_ports_by_app on published_ports (app_id)',
]

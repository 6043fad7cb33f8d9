import { type Kysely, sql } from 'kysely'

/** Which guardian keeps the firewall of a worker's host, and what apps want to be reachable there. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    await sql.raw(statement).execute(db)
  }
}

const STATEMENTS = [
  'alter table hosts add column guardian text',
  `create table openings (app_id text not null references apps(id) on delete cascade, deployment_id text not null,
    protocol text not null, first integer not null, last integer not null, sources text not null)`,
  'create index openings_by_app on openings (app_id)',
]

import { type Kysely, sql } from 'kysely'

/** A deployment that waits for a person's agreement is no running one: meanwhile another may run. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    await sql.raw(statement).execute(db)
  }
}

const STATEMENTS = [
  `alter table deployments add column waiting_since bigint`,
  `alter table deployments add column waited_ms bigint not null default 0`,
  `drop index deployments_one_running`,
  `create unique index deployments_one_running on deployments (app_id) where state = 'running'`,
  `create unique index deployments_one_waiting on deployments (app_id) where state = 'waiting'`,
]

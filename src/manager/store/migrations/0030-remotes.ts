import { type Kysely, sql } from 'kysely'

/** What deployments and releases have of other repositories than the app's own. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    await sql.raw(statement).execute(db)
  }
}

const STATEMENTS = [
  'alter table deployments add column remotes text',
  'alter table releases add column remotes text',
  'create index deployments_remotes on deployments (app_id, id) where remotes is not null',
]

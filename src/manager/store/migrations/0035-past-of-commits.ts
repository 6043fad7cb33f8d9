import { type Kysely, sql } from 'kysely'

/** Where deployments of apps that are gone belonged: the result of a commit holds the removals that it led to. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    await sql.raw(statement).execute(db)
  }
}

const STATEMENTS = [
  'alter table past_deployments add column repository_id text',
  'alter table past_deployments add column "commit" text',
  'create index past_deployments_by_commit on past_deployments (repository_id, "commit") where "commit" is not null',
]

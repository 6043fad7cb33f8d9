import { type Kysely, sql } from 'kysely'

/** What was seen of releases, apps and hosts after they were deployed. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    await sql.raw(statement).execute(db)
  }
}

const STATEMENTS = [
  `alter table releases add column confirmed_commit text`,
  `alter table releases add column confirmed_by text`,
  `alter table releases add column confirmed_at bigint`,
  `alter table hosts add column observed_at bigint`,
  `alter table hosts add column unseen text`,
  `alter table apps add column baseline text`,
  `alter table apps add column drift text`,
  `alter table apps add column on_drift text not null default 'report'`,
  `alter table deployments add column drifted text`,
]

import { type Kysely, sql } from 'kysely'

/** What a running deployment found out is large, and read only after a restart: not with every look at a deployment. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    await sql.raw(statement).execute(db)
  }
}

const STATEMENTS = [
  `create table kept_facts (
    deployment_id text not null primary key references deployments (id) on delete cascade,
    facts_sealed text not null
  )`,
  `insert into kept_facts (deployment_id, facts_sealed)
    select id, facts_sealed from deployments where facts_sealed is not null`,
  'alter table deployments drop column facts_sealed',
]

import { type Kysely, sql } from 'kysely'

/** What a release needs to come back by itself, revisions of secrets, and approvals. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    await sql.raw(statement).execute(db)
  }
}

const STATEMENTS = [
  `alter table releases add column commit_subject text`,
  `alter table releases add column target text`,
  `alter table releases add column settings_sealed text`,
  `alter table releases add column secrets text`,
  `alter table releases add column origin text`,
  `alter table releases add column held_commit text`,
  `update releases set origin = id`,
  `create table secret_revisions (app_id text not null references apps(id) on delete cascade, name text not null, revision integer not null,
    value_sealed text not null, created_at bigint not null, primary key (app_id, name, revision))`,
  `insert into secret_revisions select app_id, name, revision, value_sealed, updated_at from secrets`,
  `alter table deployments add column then_trigger text`,
  `alter table deployments add column approved_hash text`,
  `alter table deployments add column approved_by text`,
  `alter table deployments add column approved_at bigint`,
  `alter table apps add column approval integer`,
]

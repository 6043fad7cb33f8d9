import { type Kysely, sql } from 'kysely'

/**
 * Removals that files ask for and that wait for a person, repositories that are read from another place since, and
 * whether their messages may ask for something where nobody has said so.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    await sql.raw(statement).execute(db)
  }
}

const STATEMENTS = [
  `create table held_removals (app_id text primary key references apps(id) on delete cascade, why text not null,
    tip text not null, created_at bigint not null, allowed_by text, allowed_at bigint)`,
  'alter table repositories add column moved integer not null default 0',
  'alter table repositories rename column commit_actions to actions_before',
  'alter table repositories add column commit_actions integer',
  'update repositories set commit_actions = 1 where actions_before = 1',
  'alter table repositories drop column actions_before',
  'alter table repositories add column is_private integer',
]

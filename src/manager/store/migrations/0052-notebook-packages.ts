import { type Kysely, sql } from 'kysely'

/** What environments resolved to, apart from the releases; where notebooks were found that have moved; which deployments of a push go first. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    await sql.raw(statement).execute(db)
  }
}

const STATEMENTS = [
  `create table notebook_packages (app_id text not null references apps(id) on delete cascade,
     environment text not null, packages text not null, read_at integer not null,
     primary key (app_id, environment))`,
  'create index notebook_packages_environment on notebook_packages (environment)',
  `create table notebook_moves (from_app text primary key, to_app text not null, host text not null,
     hosts text not null, prefix text, until integer not null, told text, told_at integer)`,
  'create index notebook_moves_to on notebook_moves (to_app)',
  'alter table notebook_slugs add column content text',
  'alter table deployments add column first integer not null default 0',
]

import { type Kysely, sql } from 'kysely'

/** What Fairlead pushes into repositories, what holds apps that go round in a circle, and when apps are deployed by themselves. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    await sql.raw(statement).execute(db)
  }
}

const STATEMENTS = [
  `create table pushed_commits (repository_id text not null references repositories(id) on delete cascade, "commit" text not null,
    parent text not null, skips integer not null, deployment_id text not null, created_at bigint not null,
    primary key (repository_id, "commit"))`,
  `alter table apps add column url_file text`,
  `alter table apps add column paused_at bigint`,
  `alter table apps add column resumed_at bigint`,
  `alter table apps add column schedule text`,
  `alter table apps add column schedule_at bigint`,
]

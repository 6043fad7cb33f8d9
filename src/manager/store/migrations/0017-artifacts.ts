import { type Kysely, sql } from 'kysely'

/** What was made for others to fetch, and deployments that want a version of it by name. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    await sql.raw(statement).execute(db)
  }
}

const STATEMENTS = [
  `create table artifacts (id text primary key, app text not null, deployment_id text not null, service_name text not null, version text not null,
    image text not null, image_id text, "references" text not null, bytes bigint, "commit" text not null, created_at bigint not null)`,
  `create index artifacts_by_service on artifacts (service_name, id)`,
  `create index artifacts_by_app on artifacts (app, id)`,
  `alter table deployments add column wanted_version text`,
  `alter table deployments add column wanted_service text`,
  `alter table apps add column uses_tags integer not null default 0`,
]

import { type Kysely, sql } from 'kysely'

/** Who makes artefacts of a name. What was made before belongs to the repository that made it first. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    await sql.raw(statement).execute(db)
  }
}

const STATEMENTS = [
  `create table service_names (name text primary key, repository_id text not null references repositories(id) on delete cascade,
    app text, created_at bigint not null)`,
  `insert into service_names (name, repository_id, app, created_at)
    select artifacts.service_name, apps.repository_id, apps.name, artifacts.created_at
    from artifacts join apps on apps.name = artifacts.app
    where artifacts.id in (select min(each.id) from artifacts as each join apps as maker on maker.name = each.app
      where maker.repository_id is not null group by each.service_name)`,
]

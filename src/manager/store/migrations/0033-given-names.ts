import { type Kysely, sql } from 'kysely'

/** Written before the names are given. Of what was made before, the artefacts tell. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    await sql.raw(statement).execute(db)
  }
}

const ARTIFACTS = `artifacts join apps on apps.name = artifacts.app`

const STATEMENTS = [
  `create table given_names (host text not null, engine text not null, app text not null, name text not null, primary key (host, engine, app, name)) without rowid`,
  `insert or ignore into given_names (host, engine, app, name)
    select apps.host, coalesce(apps.engine, 'local'), apps.name, artifacts.image from ${ARTIFACTS}`,
  `insert or ignore into given_names (host, engine, app, name)
    select apps.host, coalesce(apps.engine, 'local'), apps.name, reference.key
    from ${ARTIFACTS}, json_each(artifacts."references") as reference`,
]

import { type Kysely, sql } from 'kysely'

/** Who may push where in the managed registry, and what is said of the images that are pushed. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    await sql.raw(statement).execute(db)
  }
}

const STATEMENTS = [
  `create table registry_paths (path text primary key, repository_id text not null, app text not null, created_at bigint not null)`,
  `create table attestations (deployment_id text not null, kind text not null, media_type text not null, digest text not null, bytes bigint not null,
    packed text, manifests text not null, primary key (deployment_id, kind))`,
]

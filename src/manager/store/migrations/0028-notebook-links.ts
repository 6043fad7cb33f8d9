import { type Kysely, sql } from 'kysely'

/** What is told of notebook projects in their repositories, and pages made of their notebooks. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    await sql.raw(statement).execute(db)
  }
}

const STATEMENTS = [
  `create table notebooks (app text primary key, repository_id text not null references repositories(id) on delete cascade,
    folder text not null, title text not null, entry text, notebooks text not null, language text not null, tags text not null,
    mode text not null, status text not null, url text, "commit" text, tree text, image text, error text,
    seen_commit text not null, blobs text, updated_at bigint not null)`,
  `create index notebooks_by_repository on notebooks (repository_id)`,
  `create table notebook_links (repository_id text primary key references repositories(id) on delete cascade,
    written text, problem text)`,
  `create table notebook_previews (blob text primary key, rendering integer not null, content text not null, made_at bigint not null)`,
]

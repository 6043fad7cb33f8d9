import { type Kysely, sql } from 'kysely'

/** Projects, who works in them, and tokens that may less than everything. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    await sql.raw(statement).execute(db)
  }
}

const STATEMENTS = [
  'create table projects (id text primary key, name text not null unique, created_at bigint not null)',
  `create table members (project_id text not null references projects (id) on delete cascade,
    person_id text not null references people (id) on delete cascade, role text not null,
    primary key (project_id, person_id))`,
  'create index members_person on members (person_id)',
  `create table project_items (kind text not null, item text not null,
    project_id text references projects (id) on delete set null,
    owner_id text references people (id) on delete set null, primary key (kind, item))`,
  'create index project_items_project on project_items (project_id)',
  "create trigger project_items_app after delete on apps begin delete from project_items where kind = 'app' and item = old.id; end",
  "create trigger project_items_repository after delete on repositories begin delete from project_items where kind = 'repository' and item = old.id; end",
  'alter table tokens add column person_id text references people (id) on delete cascade',
  'alter table tokens add column project_id text references projects (id) on delete cascade',
  'alter table tokens add column role text',
  'alter table tokens add column scopes text',
  // They could do everything before, and go on.
  `update tokens set role = 'admin' where trusts is null`,
]

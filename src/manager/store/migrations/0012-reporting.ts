import { type Kysely, sql } from 'kysely'

/** What is to be told to the outside, where it is told, and whether an app's badge is for everybody. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    await sql.raw(statement).execute(db)
  }
}

const STATEMENTS = [
  `create table outbox (seq integer primary key autoincrement, id text not null, place text not null, subject text not null,
    payload text not null, attempts integer not null default 0, next_at bigint not null, created_at bigint not null,
    ended_at bigint, result text, remote text)`,
  `create index outbox_by_subject on outbox (place, subject, seq)`,
  `create index outbox_open on outbox (seq) where ended_at is null`,
  `create index outbox_ended on outbox (ended_at)`,
  `create table reports (repository_id text primary key references repositories(id) on delete cascade, is_on integer not null,
    git_host text not null, api text not null, username text, token_sealed text, deployments integer not null,
    details integer not null, problem text)`,
  `create table channels (id text primary key, name text not null unique, kind text not null, is_on integer not null,
    target_sealed text not null, events text not null, apps text, problem text, last_sent_at bigint,
    version integer not null default 1, created_at bigint not null, updated_at bigint not null)`,
  `alter table apps add column badge text`,
]

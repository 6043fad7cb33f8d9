import { type Kysely, sql } from 'kysely'

/** System containers: whose they are, which ports of hosts they have, whose keys are let in, how much each may have. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    await sql.raw(statement).execute(db)
  }
}

const STATEMENTS = [
  `create table systems (app_id text primary key references apps(id) on delete cascade, owner text not null,
    created_at bigint not null)`,
  'create index systems_by_owner on systems (owner)',
  `create table system_ports (app_id text not null references apps(id) on delete cascade, host text not null,
    protocol text not null, port integer not null, primary key (host, protocol, port))`,
  'create index system_ports_by_app on system_ports (app_id)',
  `create table system_quotas (kind text not null, name text not null, systems integer, cpus real,
    memory_bytes bigint, disk_bytes bigint, ports integer, primary key (kind, name))`,
  `create table ssh_keys (id text primary key, person text not null, line text not null, comment text not null,
    fingerprint text not null, created_at bigint not null, unique (person, fingerprint))`,
  'alter table hosts add column systems_unseen text',
]

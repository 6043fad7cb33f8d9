import { type Kysely, sql } from 'kysely'

/** Backups of systems: they outlive the system that they were made of, and lie on its host. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    await sql.raw(statement).execute(db)
  }
}

const STATEMENTS = [
  `create table system_backups (id text primary key, app_id text not null, system text not null, owner text not null,
    host text not null, settings text not null, state text not null, is_scheduled integer not null,
    command text, attempts integer not null, reason text, bytes bigint, sha256 text, recipient text not null,
    identity_sealed text not null, asked_by text not null, created_at bigint not null, ended_at bigint)`,
  'create index system_backups_by_state on system_backups (state)',
  'create index system_backups_by_app on system_backups (app_id)',
  'alter table systems add column backup_schedule text',
  'alter table systems add column backup_at bigint',
]

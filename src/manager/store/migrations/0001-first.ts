import { type Kysely, sql } from 'kysely'

/** The first schema. Migrations are frozen: they never import tables.ts. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    await sql.raw(statement).execute(db)
  }
}

const STATEMENTS = [
  `create table meta (key text primary key, value text not null)`,
  `create table tokens (id text primary key, name text not null, hash text not null unique, created_at bigint not null, last_used_at bigint)`,
  `create table hosts (name text primary key, role text not null, address text not null, identity text not null, created_at bigint not null)`,
  `create table repositories (id text primary key, name text not null unique, url text not null, branch text not null, host text not null,
    credential_sealed text, ca text, poll_seconds integer not null, auto_apps integer not null, last_tip text, last_polled_at bigint,
    poll_failures integer not null default 0, problem text, version integer not null default 1, created_at bigint not null, updated_at bigint not null)`,
  `create table hooks (id text primary key, repository_id text not null references repositories(id) on delete cascade, git_host text not null,
    secret_sealed text not null, previous_sealed text, previous_until bigint, remote_id text, last_delivery_at bigint, created_at bigint not null)`,
  `create table deliveries (hook_id text not null references hooks(id) on delete cascade, delivery_id text not null, body_sha256 text not null,
    event text not null, state text not null, reason text, deployments text not null, attempts integer not null default 1,
    received_at bigint not null, primary key (hook_id, delivery_id))`,
  `create table apps (id text primary key, name text not null unique, repository_id text references repositories(id), entry text not null,
    target text not null, overrides text not null, host text not null, observed text, version integer not null default 1,
    created_at bigint not null, updated_at bigint not null)`,
  `create index apps_by_repository on apps (repository_id)`,
  `create table domains (host text primary key, app_id text not null references apps(id) on delete cascade)`,
  `create table secrets (app_id text not null references apps(id) on delete cascade, name text not null, value_sealed text not null,
    revision integer not null default 1, updated_at bigint not null, primary key (app_id, name))`,
  `create table deployments (id text primary key, app_id text not null references apps(id) on delete cascade, kind text not null, state text not null,
    outcome text, trigger text not null, wanted_commit text, wanted_release text, "commit" text, commit_subject text, plan text, plan_hash text,
    evidence text, error text, failed_step text, release_id text, cancel_requested integer not null default 0,
    created_at bigint not null, started_at bigint, finished_at bigint)`,
  `create index deployments_by_app on deployments (app_id, id)`,
  `create index deployments_by_state on deployments (state, id)`,
  `create index deployments_open on deployments (state) where state in ('queued', 'running', 'waiting')`,
  // One running deployment per app and one queued behind it: the database itself refuses a second.
  `create unique index deployments_one_running on deployments (app_id) where state in ('running', 'waiting')`,
  `create unique index deployments_one_queued on deployments (app_id) where state = 'queued'`,
  `create table steps (deployment_id text not null references deployments(id) on delete cascade, name text not null, position integer not null,
    state text not null, attempt integer not null, started_at bigint not null, deadline_at bigint not null, finished_at bigint, outcome text, error text,
    primary key (deployment_id, name))`,
  `create table commands (id text primary key, deployment_id text not null references deployments(id) on delete cascade, step text not null,
    key text not null, command text not null, host text not null, state text not null, result text, seq integer not null default 0,
    created_at bigint not null, finished_at bigint)`,
  `create index commands_by_deployment on commands (deployment_id, step)`,
  `create table releases (id text primary key, app_id text not null references apps(id) on delete cascade, deployment_id text not null,
    "commit" text not null, config_hash text not null, content text not null, created_at bigint not null)`,
  `create index releases_by_app on releases (app_id, id)`,
  `create table idempotency (token_id text not null, key text not null, request_sha256 text not null, status integer not null default 0,
    response text, created_at bigint not null, primary key (token_id, key))`,
]

import { type Kysely, sql } from 'kysely'

/** What audit lines say of a request, whose an artefact is, how many apps a person may make, and who signs in elsewhere. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    await sql.raw(statement).execute(db)
  }
}

const STATEMENTS = [
  'alter table audit add column details text',
  'alter table artifacts add column repository_id text',
  // An artefact whose app is gone, or is another repository's since, stays nobody's.
  `update artifacts set repository_id = coalesce(
    (select apps.repository_id from deployments join apps on apps.id = deployments.app_id
      where deployments.id = artifacts.deployment_id),
    (select past_deployments.repository_id from past_deployments
      where past_deployments.id = artifacts.deployment_id))`,
  'alter table people add column most_apps integer',
  `create table providers (id text primary key, name text not null, issuer text not null, client_id text not null,
    secret_sealed text, settings text not null, created_at bigint not null)`,
  `create table provider_accounts (issuer text not null, subject text not null,
    person_id text not null references people(id) on delete cascade, created_at bigint not null,
    primary key (issuer, subject))`,
  'create index provider_accounts_by_person on provider_accounts (person_id)',
]

import { type Kysely, sql } from 'kysely'

/** Issuers of CI systems whose jobs may deploy, and tokens that end and may do little. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    await sql.raw(statement).execute(db)
  }
}

const STATEMENTS = [
  `create table ci_trusts (id text primary key, name text not null unique, issuer text not null, audience text not null, ca text, keys text,
    claims text not null, apps text not null, created_at bigint not null, last_used_at bigint)`,
  `create index ci_trusts_by_issuer on ci_trusts (issuer)`,
  `alter table tokens add column expires_at bigint`,
  `alter table tokens add column trusts text`,
]

import { type Kysely, sql } from 'kysely'

/** Who did what. Lines are added and never changed; whoever goes around that is found by the hashes. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    await sql.raw(statement).execute(db)
  }
}

const STATEMENTS = [
  `create table audit (seq integer primary key, at bigint not null, request text not null, who text not null,
    address text not null, action text not null, target text not null, plan_hash text, result text not null,
    status integer, hash text not null)`,
  `create trigger audit_stays before update on audit begin select raise(abort, 'the audit log is not changed'); end`,
  `create trigger audit_is_kept before delete on audit begin select raise(abort, 'the audit log is not changed'); end`,
]

import { type Kysely, sql } from 'kysely'
import { isConstraintViolation } from '#manager/store/store-error.ts'
import type { Tables } from '#manager/store/tables.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import type { Row, Since } from './since.ts'

/** What lets somebody in, or on: as words for people, with its table and what tells its rows apart. Dependants first. */
const LETS_IN = [
  { what: 'roles in projects', table: 'members', key: ['project_id', 'person_id'] },
  { what: 'tokens', table: 'tokens', key: ['id'] },
  { what: 'trusts of CI jobs', table: 'ci_trusts', key: ['id'] },
  { what: 'join tokens', table: 'join_tokens', key: ['id'] },
  { what: 'webhook addresses', table: 'hooks', key: ['id'] },
  { what: 'SSH keys', table: 'ssh_keys', key: ['id'] },
  { what: 'hosts', table: 'hosts', key: ['name'] },
  { what: 'sign-ins elsewhere', table: 'provider_accounts', key: ['issuer', 'subject'] },
  { what: 'passkeys', table: 'passkeys', key: ['id'] },
  { what: 'providers of sign-ins', table: 'providers', key: ['id'] },
  { what: 'accounts', table: 'people', key: ['id'] },
] as const

/**
 * Whom the manager let in last, the restored one lets in, as far as it knows them: what is gone is gone, and what is
 * there gets the rights and secrets that it has now. Sessions end. Gives how many of each are gone.
 */
export async function takeOver(db: Kysely<Tables>, since: Since): Promise<Record<string, number>> {
  return await inTransaction(db, async inside => {
    const { numDeletedRows } = await inside.deleteFrom('sessions').executeTakeFirst()
    const gone: Record<string, number> = { sessions: Number(numDeletedRows) }
    for (const { what, table, key } of LETS_IN) {
      const theirs = since.rows(table)
      gone[what] = theirs === undefined ? 0 : await follow(inside, { table, key }, theirs)
    }
    for (const row of since.rows('revoked_keys') ?? []) {
      const { key_id, name, revoked_at } = row
      await sql`insert or ignore into revoked_keys (key_id, name, revoked_at)
        values (${key_id}, ${name}, ${revoked_at})`.execute(inside)
    }
    const hosts = await inside
      .selectFrom('hosts')
      .select(['name', 'identity'])
      .where('revoked_at', 'is', null)
      .execute()
    const revoked = await inside.selectFrom('revoked_keys').select('key_id').execute()
    for (const { name, identity } of hosts) {
      const { keyId } = JSON.parse(identity) as { keyId: string }
      if (revoked.some(({ key_id }) => key_id === keyId)) {
        await inside.deleteFrom('hosts').where('name', '=', name).execute()
        gone.hosts = (gone.hosts ?? 0) + 1
      }
    }
    return gone
  })
}

interface Followed {
  readonly table: string
  readonly key: readonly string[]
}

async function follow(db: Kysely<Tables>, { table, key }: Followed, theirs: readonly Row[]): Promise<number> {
  const idOf = (row: Row) => JSON.stringify(key.map(name => row[name]))
  const now = new Map(theirs.map(row => [idOf(row), row]))
  const { rows } = await sql<Row>`select * from ${sql.table(table)}`.execute(db)
  let gone = 0
  for (const row of rows) {
    const current = now.get(idOf(row))
    if (current === undefined || !(await change(db, { table, key, row }, current))) {
      await sql`delete from ${sql.table(table)} where ${whereIs(key, row)}`.execute(db)
      gone += 1
    }
  }
  return gone
}

/** False where what it is now does not fit to what is restored, such as a project that was made since. */
async function change(
  db: Kysely<Tables>,
  { table, key, row }: Followed & { readonly row: Row },
  current: Row,
): Promise<boolean> {
  const columns = Object.keys(row).filter(name => name in current && !key.includes(name))
  if (columns.length === 0) {
    return true
  }
  const values = columns.map(name => sql`${sql.ref(name)} = ${current[name]}`)
  try {
    await sql`update ${sql.table(table)} set ${sql.join(values)} where ${whereIs(key, row)}`.execute(db)
    return true
  } catch (error) {
    if (isConstraintViolation(error)) {
      return false
    }
    throw error
  }
}

function whereIs(key: readonly string[], row: Row) {
  return sql.join(
    key.map(name => sql`${sql.ref(name)} = ${row[name]}`),
    sql` and `,
  )
}

import { type Kysely, sql } from 'kysely'

/** Systems, keys and quotas hang on people by their id: a name is neither unique nor kept for ever. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    await sql.raw(statement).execute(db)
  }
}

/** The one person, or else the one machine, of this name; a name that several have, or nobody, stays what it is. */
function idOf(name: string): string {
  const only = (table: string, rule: string) =>
    `(select min(id) from ${table} where name = ${name} ${rule} having count(*) = 1)`
  return `coalesce(${only('people', '')}, ${only('tokens', 'and person_id is null')}, ${name})`
}

const STATEMENTS = [
  `update systems set owner = ${idOf('systems.owner')}`,
  `update ssh_keys set person = ${idOf('ssh_keys.person')}`,
  `update system_quotas set name = ${idOf('system_quotas.name')} where kind = 'person' and name <> '*'`,
]

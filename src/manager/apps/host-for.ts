import type { Kysely } from 'kysely'
import type { Tables } from '#manager/store/tables.ts'
import { HOST_UNKNOWN } from './errors.ts'

/** The worker with this name; without a name the only worker there is. HOST_UNKNOWN otherwise. */
export async function hostFor(db: Kysely<Tables>, wanted: string | undefined): Promise<string> {
  const rows = await db
    .selectFrom('hosts')
    .select('name')
    .where('role', '=', 'worker')
    .orderBy('name')
    .execute()
  const known = rows.map(row => row.name)
  const found = wanted === undefined && known.length === 1 ? known[0] : known.find(name => name === wanted)
  if (found === undefined) {
    throw HOST_UNKNOWN(wanted, known)
  }
  return found
}

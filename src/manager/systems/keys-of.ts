import type { Kysely, Selectable } from 'kysely'
import type { SshKeyTable } from '#manager/store/system-tables.ts'
import type { Tables } from '#manager/store/tables.ts'

export type SshKeyRow = Selectable<SshKeyTable>

/** The keys that an owner has added; of a person who is locked out none counts. */
export async function keysOf(db: Kysely<Tables>, owner: string): Promise<SshKeyRow[]> {
  const locked = db.selectFrom('people').select('id').where('disabled_at', 'is not', null)
  return await db
    .selectFrom('ssh_keys')
    .selectAll()
    .where('person', '=', owner)
    .where('person', 'not in', locked)
    .orderBy('id')
    .execute()
}

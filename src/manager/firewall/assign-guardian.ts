import type { Kysely } from 'kysely'
import { overlaps, writePorts } from '#firewall/opening.ts'
import { HOST_NOT_FOUND } from '#manager/agents/errors.ts'
import type { ManagerParts } from '#manager/parts.ts'
import type { Tables } from '#manager/store/tables.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { NOT_A_GUARDIAN, NOT_A_WORKER, PORT_TAKEN_BY_APP } from './errors.ts'
import { guardianOf, openingsAt } from './openings.ts'

/** From now on the guardian keeps the firewall of the worker's host; null: nobody does, and its rules stay as they are. */
export async function assignGuardian(
  { db, events }: Pick<ManagerParts, 'db' | 'events'>,
  host: string,
  guardian: string | null,
): Promise<void> {
  const before = await inTransaction(db, async transaction => {
    const roleOf = async (name: string) => {
      const row = await transaction
        .selectFrom('hosts')
        .select('role')
        .where('name', '=', name)
        .executeTakeFirst()
      if (!row) {
        throw HOST_NOT_FOUND(name)
      }
      return row.role
    }
    if ((await roleOf(host)) !== 'worker') {
      throw NOT_A_WORKER(host)
    }
    if (guardian !== null && (await roleOf(guardian)) !== 'guardian') {
      throw NOT_A_GUARDIAN(guardian)
    }
    const former = await guardianOf(transaction, host)
    await transaction.updateTable('hosts').set({ guardian }).where('name', '=', host).execute()
    await refuseShared(transaction, guardian, host)
    return former
  })
  // Its rules stay where nobody follows it; another one opens the same ports from now on.
  const left = guardian !== null && before !== undefined && before !== guardian ? { left: before } : {}
  events.publish('host', { name: host, state: 'guarded', ...left })
}

/** Apps of several workers whose firewall one guardian keeps share its ports: no two of them may want the same. */
async function refuseShared(db: Kysely<Tables>, guardian: string | null, host: string): Promise<void> {
  const openings = guardian === null ? [] : await openingsAt(db, guardian)
  const shared = openings.find((opening, index) =>
    openings.slice(index + 1).some(other => other.app !== opening.app && overlaps(opening, other)),
  )
  if (shared) {
    throw PORT_TAKEN_BY_APP(writePorts(shared), host)
  }
}

import { HOST_NOT_FOUND } from '#manager/agents/errors.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { NOT_A_GUARDIAN, NOT_A_WORKER } from './errors.ts'

/** From now on the guardian keeps the firewall of the worker's host; null: nobody does, and its rules stay as they are. */
export async function assignGuardian(
  { db, events }: Pick<ManagerParts, 'db' | 'events'>,
  host: string,
  guardian: string | null,
): Promise<void> {
  await inTransaction(db, async transaction => {
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
    await transaction.updateTable('hosts').set({ guardian }).where('name', '=', host).execute()
  })
  events.publish('host', { name: host, state: 'guarded' })
}

import { hostMessage } from '#manager/notifications/message.ts'
import { noteMessage } from '#manager/outbox/note-message.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { certificateEnd, warningDays, warningOf } from './certificate-end.ts'
import { HOST_IN_USE } from './errors.ts'
import { deleteHost } from './hosts.ts'

const UNREACHED_MS = 24 * 3_600_000

/** Forgets hosts that joined and were never reached, and tells people of certificates that end. Now and then. */
export async function tendHosts(parts: ManagerParts): Promise<void> {
  await forgetUnreached(parts)
  await warnOfEnds(parts)
}

async function forgetUnreached(parts: ManagerParts): Promise<void> {
  const unreached = await parts.db
    .selectFrom('hosts')
    .select('name')
    .where('joined_at', '<', parts.clock.now() - UNREACHED_MS)
    .where('connected_at', 'is', null)
    .execute()
  for (const { name } of unreached) {
    try {
      await deleteHost(parts, name)
      parts.logger.warn('host.never-reached', { host: name })
    } catch (error) {
      // Somebody counts on it, and sees that it is offline.
      if (!HOST_IN_USE.matches(error)) {
        throw error
      }
    }
  }
}

async function warnOfEnds(parts: ManagerParts): Promise<void> {
  const now = parts.clock.now()
  // One that was shut out is not to be renewed.
  const hosts = await parts.db.selectFrom('hosts').selectAll().where('revoked_at', 'is', null).execute()
  for (const host of hosts) {
    const endsAt = certificateEnd(host)
    const days = warningDays(endsAt, now) ?? null
    if (days === host.warned_days) {
      continue
    }
    const warning = warningOf({ name: host.name, certificateEndsAt: endsAt }, now)
    await inTransaction(parts.db, async db => {
      await db.updateTable('hosts').set({ warned_days: days }).where('name', '=', host.name).execute()
      if (warning !== undefined) {
        await noteMessage({ ...parts, db }, hostMessage({ host: host.name, warning }, now))
      }
    })
  }
}

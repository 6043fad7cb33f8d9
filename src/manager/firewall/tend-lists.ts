import { background } from '#lib/background.ts'
import type { Timer } from '#lib/clock.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { listAddressLists, refreshAddressList } from './address-lists.ts'

const MINUTE_MS = 60_000
const LOOK_EVERY_MS = 5 * MINUTE_MS
const READ_EVERY_MS = 6 * 60 * MINUTE_MS
const AGAIN_AFTER_MS = 15 * MINUTE_MS

type Parts = Pick<ManagerParts, 'db' | 'clock' | 'http' | 'logger'>

/** Keeps lists of addresses as new as they are published. Guardians are brought to them at the next look at their firewalls. */
export function startTendingLists(parts: Parts): Timer {
  const run = () =>
    background(tendLists(parts), error =>
      parts.logger.warn('firewall.lists-not-tended', { reason: error.message }),
    )
  run()
  return parts.clock.every(LOOK_EVERY_MS, run)
}

/** Reads those anew that are due, one after the other. */
export async function tendLists(parts: Parts): Promise<void> {
  for (const { name, asked_at: askedAt, problem } of await listAddressLists(parts.db)) {
    const due = askedAt + (problem === null ? READ_EVERY_MS : AGAIN_AFTER_MS)
    if (due <= parts.clock.now()) {
      await refreshAddressList(parts, name)
    }
  }
}

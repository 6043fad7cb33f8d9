import { background } from '#lib/background.ts'
import type { Timer } from '#lib/clock.ts'
import type { ManagerParts } from './parts.ts'

const EVERY_MS = 3_600_000
const DAY_MS = 24 * EVERY_MS
const ANSWERS_KEPT_MS = DAY_MS
/** GitHub lets people redeliver for 3 days. */
const DELIVERIES_KEPT_MS = 8 * DAY_MS

/** Forgets what nobody can ask for any more: now and every hour. */
export function startHousekeeping(parts: Pick<ManagerParts, 'db' | 'clock' | 'logger'>): Timer {
  function run(): void {
    background(forgetOld(parts), error =>
      parts.logger.warn('housekeeping.failed', { message: error.message }),
    )
  }
  run()
  return parts.clock.every(EVERY_MS, run)
}

export async function forgetOld({ db, clock }: Pick<ManagerParts, 'db' | 'clock'>): Promise<void> {
  const now = clock.now()
  await db
    .deleteFrom('idempotency')
    .where('created_at', '<', now - ANSWERS_KEPT_MS)
    .execute()
  await db
    .deleteFrom('deliveries')
    .where('received_at', '<', now - DELIVERIES_KEPT_MS)
    .execute()
}

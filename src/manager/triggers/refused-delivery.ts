import type { Kysely } from 'kysely'
import { background } from '#lib/background.ts'
import type { Clock } from '#lib/clock.ts'
import type { Logger } from '#lib/logger.ts'
import { limitKey } from '#manager/addresses.ts'
import type { RefusalReason } from '#manager/store/hook-table.ts'
import type { Tables } from '#manager/store/tables.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import type { Unverified } from './hook-delivery.ts'

interface Context {
  readonly db: Kysely<Tables>
  readonly clock: Clock
  readonly logger: Logger
}

const NOTED_EVERY_MS = 60_000
/** Bounds the memory that many senders can take. */
const MOST_KEYS = 10_000

/**
 * Leaves a trace of deliveries that are not signed as they must be, at most once a minute for a hook, and for an address
 * that asks for hooks that do not exist. The answer does not wait for it: it would tell which hooks there are.
 */
export function createRefusals({ db, clock, logger }: Context) {
  const noted = new Map<string, { at: number; unsaid: number }>()

  return ({ hook, reason }: Unverified, address: string): void => {
    const key = hook ? `hook ${hook.id}` : limitKey(address)
    const at = clock.monotonic()
    const last = noted.get(key)
    if (last && at - last.at < NOTED_EVERY_MS) {
      last.unsaid += 1
      return
    }
    noted.delete(key)
    if (noted.size >= MOST_KEYS) {
      noted.delete(noted.keys().next().value ?? '')
    }
    noted.set(key, { at, unsaid: 0 })
    logger.warn('hook.not-signed', {
      ...(hook ? { hook: hook.id, repository: hook.repository_id } : {}),
      address,
      reason,
      ...(last?.unsaid ? { unsaid_before: last.unsaid } : {}),
    })
    if (hook) {
      background(store(hook.id, reason), error =>
        logger.warn('hook.refusal-not-noted', { hook: hook.id, message: error.message }),
      )
    }
  }

  async function store(id: string, reason: RefusalReason): Promise<void> {
    await inTransaction(db, async inside => {
      await inside
        .updateTable('hooks')
        .set({ last_refused_at: clock.now(), last_refused_reason: reason })
        .where('id', '=', id)
        .execute()
    })
  }
}

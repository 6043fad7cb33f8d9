import type { Clock } from '#lib/clock.ts'
import type { FairleadError } from '#lib/errors.ts'
import { limitKey } from '#manager/addresses.ts'

const WINDOW_MS = 60_000
/** Bounds the memory that many senders can take. */
const MOST_KEYS = 10_000

/** Counts by address. */
export interface RateLimit {
  /** Notes one; throws when there were more than may be within a minute. */
  note(address: string): void
}

export function createRateLimit(
  clock: Clock,
  { perMinute, refusal }: { readonly perMinute: number; readonly refusal: () => FairleadError },
): RateLimit {
  const counts = new Map<string, { count: number; since: number }>()
  return {
    note(address) {
      const key = limitKey(address)
      const now = clock.monotonic()
      const entry = counts.get(key)
      if (!entry || now - entry.since > WINDOW_MS) {
        counts.delete(key)
        if (counts.size >= MOST_KEYS) {
          counts.delete(counts.keys().next().value ?? '')
        }
        counts.set(key, { count: 1, since: now })
        return
      }
      entry.count += 1
      if (entry.count > perMinute) {
        throw refusal()
      }
    },
  }
}

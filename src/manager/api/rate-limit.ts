import type { Clock } from '#lib/clock.ts'
import type { FairleadError } from '#lib/errors.ts'
import { limitKey } from '#manager/addresses.ts'

const WINDOW_MS = 60_000
/** Bounds the memory that many senders can take. */
const MOST_KEYS = 10_000

/** Counts by address, or by another name. */
export interface RateLimit {
  /** Notes one; throws when there were more than may be within a minute. */
  note(address: string): void
  /** Takes one back that was noted. */
  forgive(address: string): void
}

interface RateLimitOptions {
  /** Within the window; by default that is a minute. */
  readonly most: number
  readonly windowMs?: number
  readonly refusal: () => FairleadError
}

export function createRateLimit(
  clock: Clock,
  { most, windowMs = WINDOW_MS, refusal }: RateLimitOptions,
): RateLimit {
  const counts = new Map<string, { count: number; since: number }>()
  return {
    note(address) {
      const key = limitKey(address)
      const now = clock.monotonic()
      const entry = counts.get(key)
      if (!entry || now - entry.since > windowMs) {
        counts.delete(key)
        if (counts.size >= MOST_KEYS) {
          counts.delete(counts.keys().next().value ?? '')
        }
        counts.set(key, { count: 1, since: now })
        return
      }
      entry.count += 1
      if (entry.count > most) {
        throw refusal()
      }
    },
    forgive(address) {
      const entry = counts.get(limitKey(address))
      if (entry) {
        entry.count -= 1
      }
    },
  }
}

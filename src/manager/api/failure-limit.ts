import type { Clock } from '#lib/clock.ts'
import { limitKey } from '#manager/addresses.ts'
import { TOO_MANY_FAILURES } from './errors.ts'

const MOST_PER_MINUTE = 10
const WINDOW_MS = 60_000
/** Bounds the memory that many senders can take. */
const MOST_KEYS = 10_000

/** Counts failed authentications by address. Only failures cost: who shares an address with an attacker is not locked out. */
export interface FailureLimit {
  /** Notes one failure; throws TOO_MANY_FAILURES when there were more than 10 within a minute. */
  note(address: string): void
}

export function createFailureLimit(clock: Clock): FailureLimit {
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
      if (entry.count > MOST_PER_MINUTE) {
        throw TOO_MANY_FAILURES()
      }
    },
  }
}

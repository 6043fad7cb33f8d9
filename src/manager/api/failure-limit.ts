import type { Clock } from '#lib/clock.ts'
import { TOO_MANY_FAILURES } from './errors.ts'
import { createRateLimit, type RateLimit } from './rate-limit.ts'

const MOST_PER_MINUTE = 10

/** Counts failed authentications by address. Only failures cost: who shares an address with an attacker is not locked out. */
export type FailureLimit = RateLimit

export function createFailureLimit(clock: Clock): FailureLimit {
  return createRateLimit(clock, { perMinute: MOST_PER_MINUTE, refusal: TOO_MANY_FAILURES })
}

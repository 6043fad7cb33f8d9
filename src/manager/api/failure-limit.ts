import type { Clock } from '#lib/clock.ts'
import { asFairleadError } from '#lib/errors.ts'
import { TOO_MANY_SIGN_INS } from '#manager/people/errors.ts'
import { TOO_MANY_FAILURES } from './errors.ts'
import { createRateLimit, type RateLimit } from './rate-limit.ts'

const MOST_PER_MINUTE = 10
/** A password can be guessed, other than a token: also by many who share the work, so each account counts its own. */
const MOST_OF_ACCOUNT = 10
const ACCOUNT_WINDOW_MS = 15 * 60_000

/** Counts failed authentications by address. Only failures cost: who shares an address with an attacker is not locked out. */
export type FailureLimit = RateLimit

export function createFailureLimit(clock: Clock): FailureLimit {
  return createRateLimit(clock, { most: MOST_PER_MINUTE, refusal: TOO_MANY_FAILURES })
}

export interface Guesser {
  readonly address: string
  /** Whose password is guessed; absent: what is typed in is too long to be guessed by however many. */
  readonly account?: string | undefined
}

/** For what people type in. */
export interface SignInLimit {
  /** Does the work unless address or account have failed too often. */
  guard<T>(who: Guesser, work: () => Promise<T>): Promise<T>
}

/**
 * Whoever is over the limit is refused before anything is compared: a right guess does not help either. An attempt counts
 * from its beginning, so that many at once are no way around.
 */
export function createSignInLimit(clock: Clock): SignInLimit {
  const addresses = createRateLimit(clock, { most: MOST_PER_MINUTE, refusal: TOO_MANY_SIGN_INS })
  const accounts = createRateLimit(clock, {
    most: MOST_OF_ACCOUNT,
    windowMs: ACCOUNT_WINDOW_MS,
    refusal: TOO_MANY_SIGN_INS,
  })
  return {
    async guard({ address, account }, work) {
      addresses.note(address)
      if (account !== undefined) {
        accounts.note(account)
      }
      let isCounted = false
      try {
        return await work()
      } catch (error) {
        isCounted = asFairleadError(error).status < 500
        throw error
      } finally {
        if (!isCounted) {
          addresses.forgive(address)
          if (account !== undefined) {
            accounts.forgive(account)
          }
        }
      }
    },
  }
}

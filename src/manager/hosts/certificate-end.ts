import type { Pin } from '#link/public-identity.ts'
import type { HostTable } from '#manager/store/tables.ts'

const DAY_MS = 24 * 3_600_000
/** Days before the end at which people are told. The first one after a connected host should have renewed it, at 30. */
const WARNED_AT_DAYS = [29, 14, 7, 1]

/** End of the newest certificate that is pinned, ms since 1970. */
export function certificateEnd({ identity }: Pick<HostTable, 'identity'>): number {
  const { certificates = [] } = JSON.parse(identity) as Partial<Pin>
  return Math.max(0, ...certificates.map(({ notAfter }) => Date.parse(notAfter)))
}

/** The smallest of the days at which people are told that has come; undefined: the end is far. */
export function warningDays(endsAt: number, now: number): number | undefined {
  const left = (endsAt - now) / DAY_MS
  return WARNED_AT_DAYS.findLast(days => left <= days)
}

/** What to say of a host whose certificate ends soon. */
export function warningOf(
  { name, certificateEndsAt }: { readonly name: string; readonly certificateEndsAt: number },
  now: number,
): string | undefined {
  if (warningDays(certificateEndsAt, now) === undefined) {
    return undefined
  }
  const left = Math.ceil((certificateEndsAt - now) / DAY_MS)
  return left <= 0
    ? `Its certificate has ended, so it cannot connect. Remove it ("fairlead hosts remove ${name}") and let it join again.`
    : `Its certificate ends in ${left} day${left === 1 ? '' : 's'}. It renews it by itself while it is connected; let it connect before.`
}

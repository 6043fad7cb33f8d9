import { randomBytes, randomUUIDv7 } from 'node:crypto'

let last = ''

/**
 * A UUIDv7: unique, and sorts after every earlier one of this process, also within one millisecond and when the clock of
 * the machine was set back.
 */
export function newId(): string {
  const made = randomUUIDv7()
  last = made > last ? made : following(last, made)
  return last
}

/** From now on ids sort after this one too: it was made before, when the clock was perhaps ahead. */
export function startIdsAfter(id: string): void {
  last = id > last ? id : last
}

/** Counts on in the 12 bits behind the time, as RFC 9562 (6.2) lets one, and when they are full in the time. */
function following(id: string, fresh: string): string {
  const time = Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
  const count = Number.parseInt(id.slice(15, 18), 16) + 1
  const [ms, next] = count > 0xfff ? [time + 1, 0] : [time, count]
  const hex = ms.toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7${next.toString(16).padStart(3, '0')}${fresh.slice(18)}`
}

/** A random text of `bytes` bytes in base64url, for tokens and locators. */
export function randomText(bytes: number): string {
  return randomBytes(bytes).toString('base64url')
}

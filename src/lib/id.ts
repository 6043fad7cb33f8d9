import { randomBytes, randomUUIDv7 } from 'node:crypto'

/** A UUIDv7: unique, and sorts by the time it was made. */
export function newId(): string {
  return randomUUIDv7()
}

/** A random text of `bytes` bytes in base64url, for tokens and locators. */
export function randomText(bytes: number): string {
  return randomBytes(bytes).toString('base64url')
}

import { randomBytes, randomUUIDv7 } from 'node:crypto'

let last = ''

/** A UUIDv7: unique, and sorts after every earlier one of this process, also within one millisecond. */
export function newId(): string {
  let id = randomUUIDv7()
  while (id <= last) {
    id = randomUUIDv7()
  }
  last = id
  return id
}

/** A random text of `bytes` bytes in base64url, for tokens and locators. */
export function randomText(bytes: number): string {
  return randomBytes(bytes).toString('base64url')
}

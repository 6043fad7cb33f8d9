import { createHmac, timingSafeEqual } from 'node:crypto'

const HEX64 = /^[0-9a-f]{64}$/

/** Whether `hex` is the HMAC-SHA256 of the bytes under one of the secrets. Every secret is always tried. */
export function isSigned(body: Buffer, hex: string, secrets: readonly string[]): boolean {
  // Anything but 64 lower case digits would be decoded to other bytes, or to none.
  const wellFormed = HEX64.test(hex)
  const given = Buffer.from(wellFormed ? hex : '0'.repeat(64), 'hex')
  let matches = false
  for (const secret of secrets) {
    const expected = createHmac('sha256', secret).update(body).digest()
    // An empty secret would let everybody sign.
    matches = (timingSafeEqual(expected, given) && secret !== '') || matches
  }
  return matches && wellFormed
}

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { RawDelivery } from './git-host.ts'

const HEX64 = /^[0-9a-f]{64}$/
/** 32 bytes in base64. */
const BASE64_32 = /^[A-Za-z0-9+/]{43}=$/
const KEY = /^(?:[A-Za-z0-9+/]{4}){2,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
const KEY_PREFIX = 'whsec_'
/** A sender that changes its secret signs with both. */
const MOST_SIGNATURES = 8
const TOLERANCE_SECONDS = 300
const LEAST_KEY_BYTES = 24

/** Whether `hex` is the HMAC-SHA256 of the bytes under one of the secrets. Every secret is always tried. */
export function isSigned(body: Buffer, hex: string, secrets: readonly string[]): boolean {
  // Anything but 64 lower case digits would be decoded to other bytes, or to none.
  const given = HEX64.test(hex) ? Buffer.from(hex, 'hex') : undefined
  return isMac([body], [given], secrets)
}

/** The hex digits after `sha256=`, or an empty text: without the prefix it is another scheme. */
export function afterSha256(header = ''): string {
  return header.startsWith('sha256=') ? header.slice('sha256='.length) : ''
}

/** The headers of Standard Webhooks. */
export const TIMED_HEADERS = {
  signature: 'webhook-signature',
  delivery: 'webhook-id',
  timestamp: 'webhook-timestamp',
} as const

/** Whether a delivery is signed as Standard Webhooks say: over id, time and bytes, at most five minutes ago. */
export function isSignedInTime(
  { headers, body, receivedAt }: RawDelivery,
  secrets: readonly string[],
): boolean {
  const id = headers[TIMED_HEADERS.delivery] ?? ''
  const timestamp = headers[TIMED_HEADERS.timestamp] ?? ''
  const signature = headers[TIMED_HEADERS.signature] ?? ''
  const given = signature.split(' ').slice(0, MOST_SIGNATURES).map(signatureBytes)
  const keys = secrets.map(keyBytes)
  return isMac([`${id}.${timestamp}.`, body], given, keys) && isTimely(timestamp, receivedAt) && id !== ''
}

/** Whether a time in seconds since 1970 is at most five minutes away. */
export function isTimely(timestamp: string, receivedAt: number): boolean {
  const away = Math.abs(Math.floor(receivedAt / 1000) - Number(timestamp))
  return /^[0-9]{1,12}$/.test(timestamp) && away <= TOLERANCE_SECONDS
}

/** The signature of something that is sent, as Standard Webhooks say. */
export function timedSignature(signed: {
  readonly id: string
  readonly timestamp: number
  readonly body: string
  readonly secret: string
}): string {
  const mac = createHmac('sha256', keyBytes(signed.secret))
  return `v1,${mac.update(`${signed.id}.${signed.timestamp}.${signed.body}`).digest('base64')}`
}

/** A secret of the form whsec_…, which Standard Webhooks senders expect. */
export function timedSecretOf(random: Buffer): string {
  return KEY_PREFIX + random.toString('base64')
}

export function isTimedSecret(text: string): boolean {
  return text.startsWith(KEY_PREFIX) && keyBytes(text).length >= LEAST_KEY_BYTES
}

const comparing = randomBytes(32)

/** Whether a text that is sent as it is equals one of the secrets; also its length shows in no time. */
export function isToken(given: string, secrets: readonly string[]): boolean {
  const mac = createHmac('sha256', comparing).update(given).digest()
  let matches = false
  for (const secret of secrets) {
    const expected = createHmac('sha256', comparing).update(secret).digest()
    matches = (timingSafeEqual(expected, mac) && secret !== '') || matches
  }
  return matches
}

function signatureBytes(text: string): Buffer | undefined {
  const value = text.startsWith('v1,') ? text.slice('v1,'.length) : ''
  return BASE64_32.test(value) ? Buffer.from(value, 'base64') : undefined
}

/** No bytes for a secret that was not made for this scheme. */
function keyBytes(secret: string): Buffer {
  const text = secret.startsWith(KEY_PREFIX) ? secret.slice(KEY_PREFIX.length) : secret
  return KEY.test(text) ? Buffer.from(text, 'base64') : Buffer.alloc(0)
}

/** Tries every key with every signature. An empty key would let everybody sign. */
function isMac(
  signed: readonly (string | Buffer)[],
  given: readonly (Buffer | undefined)[],
  keys: readonly (string | Buffer)[],
): boolean {
  let matches = false
  for (const key of keys) {
    const mac = createHmac('sha256', key)
    for (const part of signed) {
      mac.update(part)
    }
    const expected = mac.digest()
    for (const each of given) {
      matches =
        (timingSafeEqual(expected, each ?? Buffer.alloc(32)) && each !== undefined && key.length > 0) ||
        matches
    }
  }
  return matches
}

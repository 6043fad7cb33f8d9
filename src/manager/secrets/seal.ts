import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { SEALED_VALUE_DAMAGED } from './errors.ts'

/** Encrypts what may not lie readable in the database. */
export interface Sealer {
  /** `place` (table/id/column) is bound in: a sealed value copied to another place does not open. */
  seal(text: string, place: string): string
  /** The text, or SEALED_VALUE_DAMAGED. */
  open(sealed: string, place: string): string
}

const VERSION = 'v1.'
const NONCE_BYTES = 12
const TAG_BYTES = 16

/**
 * AES-256-GCM with this key of 32 bytes. A sealed value is `v1.` and base64url of nonce, ciphertext and tag. What an
 * older key has sealed is opened too.
 */
export function createSealer(key: Buffer, ...older: readonly Buffer[]): Sealer {
  return {
    seal(text, place) {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', key, nonce)
      cipher.setAAD(Buffer.from(place))
      const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
      return VERSION + sealed.toString('base64url')
    },
    open(sealed, place) {
      const bytes = Buffer.from(sealed.slice(VERSION.length), 'base64url')
      if (!sealed.startsWith(VERSION) || bytes.length < NONCE_BYTES + TAG_BYTES) {
        throw SEALED_VALUE_DAMAGED(place)
      }
      let cause: unknown
      for (const each of [key, ...older]) {
        try {
          return openWith(each, bytes, place)
        } catch (error) {
          cause ??= error
        }
      }
      throw SEALED_VALUE_DAMAGED(place).with({ cause })
    },
  }
}

function openWith(key: Buffer, bytes: Buffer, place: string): string {
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES))
  decipher.setAAD(Buffer.from(place))
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
  const text = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES))
  return Buffer.concat([text, decipher.final()]).toString('utf8')
}

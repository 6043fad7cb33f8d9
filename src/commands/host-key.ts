import { createHash, createHmac } from 'node:crypto'
import { join } from 'node:path'
import { randomText } from '#lib/id.ts'
import type { Hands } from './command.ts'

/** Long enough for a key, and for what it says to differ. */
const KEY_BYTES = 32
const SHORT = 12

/** Turns a value into a text that tells whether it changed, and nothing else to who has not the key. */
export interface Fingerprints {
  /** Of the key: what was made with another one cannot be compared. */
  readonly key: string
  /** `place` keeps equal values of different things from looking equal. */
  of(place: string, value: string): string
}

/** With this host's own key, which never leaves it. Made on first use. */
export async function openFingerprints(hands: Hands): Promise<Fingerprints> {
  const path = join(hands.host.workspace, 'fingerprint.key')
  const { text } = await hands.perform({
    kind: 'file',
    operation: 'read',
    path,
    maxBytes: 1_024,
    read: found => found,
  })
  const key = text ?? randomText(KEY_BYTES)
  if (text === undefined) {
    await hands.perform({ kind: 'file', operation: 'write', path, content: key, read: () => undefined })
  }
  return {
    key: createHash('sha256').update(key).digest('hex').slice(0, SHORT),
    of: (place, value) =>
      `~${createHmac('sha256', key).update(`${place}\0${value}`).digest('hex').slice(0, SHORT)}`,
  }
}

import type { Clock } from '#lib/clock.ts'
import { asManagerFrame, type RawFrame } from '#link/frames.ts'
import type { Identity } from '#link/identity.ts'
import type { PinFile } from '#link/pin-file.ts'
import { certificateId } from '#link/public-identity.ts'
import type { Session } from './session.ts'

const LOOK_EVERY_MS = 6 * 3600 * 1000

export interface RotationParts {
  readonly identity: Identity
  readonly peers: PinFile
  readonly clock: Clock
  /** What TLS shows or accepts has changed. */
  readonly changed: () => void
}

/** Certificates are replaced inside a proven session, long before they end, so nobody pins anything by hand. */
export class Rotation {
  readonly #parts: RotationParts
  readonly #timer: { close(): void }
  #session: Session | undefined

  constructor(parts: RotationParts) {
    this.#parts = parts
    this.#timer = parts.clock.every(LOOK_EVERY_MS, () => this.#look())
  }

  /** Tells the manager which certificate this agent will show next, if it has one. */
  announce(session: Session): void {
    this.#session = session
    const next = this.#parts.identity.certificates.next
    if (next) {
      const { certificate, binding, notAfter } = next
      session.send('rotate', { certificate, binding, notAfter })
    }
  }

  /** True when the frame was about certificates. */
  frame(session: Session, raw: RawFrame): boolean {
    if (raw.command !== 'rotate' && raw.command !== 'rotated') {
      return false
    }
    const frame = asManagerFrame(raw)
    if (frame?.command === 'rotate') {
      this.#parts.peers.learn(session.manager.keyId, frame.data)
      this.#parts.changed()
      session.send('rotated', { certificateId: certificateId(frame.data.certificate) })
    }
    if (frame?.command === 'rotated') {
      this.#known(session, frame.data.certificateId)
    }
    return true
  }

  close(): void {
    this.#timer.close()
  }

  #known(session: Session, id: string): void {
    const { identity, peers, changed } = this.#parts
    identity.certificates.noteKnown(session.manager.keyId, id)
    if (identity.certificates.stepOver(peers.peers.map(({ keyId }) => keyId))) {
      changed()
    }
  }

  #look(): void {
    this.#parts.identity.certificates.renew()
    if (this.#session) {
      this.announce(this.#session)
    }
  }
}

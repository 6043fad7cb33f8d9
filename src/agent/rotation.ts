import type { Clock } from '#lib/clock.ts'
import { asManagerFrame, type RawFrame } from '#link/frames.ts'
import type { Identity } from '#link/identity.ts'
import type { PinFile } from '#link/pin-file.ts'
import { certificateId } from '#link/public-identity.ts'
import type { Session } from './session.ts'

const LOOK_EVERY_MS = 6 * 3600 * 1000
const OURS = ['rotate', 'rotated', 'rekey', 'succeeds', 'successor']
/** Among the capabilities: this agent takes a new key of its manager. */
export const TAKES_SUCCESSORS = 'successor'
/** The peer is expected to come back at once. */
const RESTARTED = 1012

export interface RotationParts {
  readonly identity: Identity
  readonly peers: PinFile
  readonly clock: Clock
  /** What TLS shows or accepts has changed. */
  readonly changed: () => void
}

/** Certificates and keys are replaced inside a proven session, so nobody pins anything by hand. */
export class Rotation {
  readonly #parts: RotationParts
  readonly #timer: { close(): void }
  readonly #successorKnownBy = new Set<string>()
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
    const successor = this.#parts.identity.succession.next
    if (successor) {
      session.send('successor', { ...successor })
    }
  }

  /** True when the frame was about certificates. */
  frame(session: Session, raw: RawFrame): boolean {
    if (!OURS.includes(raw.command)) {
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
    if (frame?.command === 'rekey') {
      session.send('successor', { ...this.#parts.identity.succession.prepare() })
    }
    if (frame?.command === 'succeeds') {
      this.#succeed(session, frame.data.keyId)
    }
    if (frame?.command === 'successor') {
      const next = this.#parts.peers.follow(session.manager.keyId, frame.data)
      this.#parts.changed()
      session.send('succeeds', { keyId: next.keyId })
    }
    return true
  }

  /** A manager has proven to have this key: if it is a new one, the old one is refused from now on. */
  met(keyId: string): void {
    if (this.#parts.peers.met(keyId)) {
      this.#parts.changed()
    }
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

  /** The last manager that has to know the next key knows it: it takes over, and every session after this one is with it. */
  #succeed(session: Session, keyId: string): void {
    const { identity, peers, changed } = this.#parts
    if (identity.succession.next?.identity.keyId !== keyId) {
      return
    }
    this.#successorKnownBy.add(session.manager.keyId)
    if (peers.peers.every(peer => this.#successorKnownBy.has(peer.keyId))) {
      identity.succession.take()
      this.#successorKnownBy.clear()
      changed()
      session.end(RESTARTED, 'it has a new key')
    }
  }

  #look(): void {
    this.#parts.identity.certificates.renew()
    if (this.#session) {
      this.announce(this.#session)
    }
  }
}

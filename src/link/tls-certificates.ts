import type { KeyObject } from 'node:crypto'
import { type Static, Type } from 'typebox'
import type { Clock } from '#lib/clock.ts'
import { selfSignedCertificate } from './certificate.ts'
import { writeDurably } from './durable-file.ts'
import { readPrivateFile } from './private-file.ts'
import { CertifiedCertificate, certificateId, certify, serverNameOf } from './public-identity.ts'

const DAY = 24 * 3600 * 1000
const LIFE = 90 * DAY
/** The other side's clock may be behind. */
const BACKDATED = DAY

const Held = Type.Object(
  { ...CertifiedCertificate.properties, key: Type.String() },
  { additionalProperties: false },
)
export type HeldCertificate = Static<typeof Held>

/** One file, so that a certificate and its key are never from two different times. */
const Stored = Type.Object(
  {
    current: Held,
    /** Its successor, and the peers (keyId) that have pinned it. */
    next: Type.Optional(
      Type.Object({ held: Held, knownBy: Type.Array(Type.String()) }, { additionalProperties: false }),
    ),
  },
  { additionalProperties: false },
)

interface Owner {
  readonly file: string
  readonly keyId: string
  readonly privateKey: KeyObject
  readonly clock: Clock
}

/**
 * The TLS certificates of one identity and their succession:
 * only `current` -> (two thirds of its life are over) `current` and `next`, which is told to the peers
 * -> (all of them know it, or `current` has ended) only the former `next`.
 */
export class TlsCertificates {
  readonly #owner: Owner
  #stored: Static<typeof Stored>

  private constructor(owner: Owner, stored: Static<typeof Stored>) {
    this.#owner = owner
    this.#stored = stored
  }

  static create(owner: Owner): TlsCertificates {
    const certificates = new TlsCertificates(owner, { current: made(owner) })
    certificates.#save()
    return certificates
  }

  static load(owner: Owner): TlsCertificates {
    const certificates = new TlsCertificates(owner, readPrivateFile(owner.file, Stored))
    certificates.renew()
    return certificates
  }

  get current(): HeldCertificate {
    return this.#stored.current
  }

  /** What the peers should pin now, before it is needed. */
  get next(): HeldCertificate | undefined {
    return this.#stored.next?.held
  }

  /** What to show to this peer: the next certificate as soon as the peer knows it. */
  shownTo(peer: string): HeldCertificate {
    const { current, next } = this.#stored
    return next?.knownBy.includes(peer) ? next.held : current
  }

  /** Makes the next certificate when it is time, and steps over to it when the current one has ended. */
  renew(): void {
    const now = this.#owner.clock.now()
    const left = Date.parse(this.#stored.current.notAfter) - now
    if (left <= LIFE / 3 && !this.#stored.next) {
      this.#stored = { ...this.#stored, next: { held: made(this.#owner), knownBy: [] } }
      this.#save()
    }
    if (left <= 0 && this.#stored.next) {
      this.#promote(this.#stored.next.held)
    }
  }

  /** The peer has pinned the certificate with this id. */
  noteKnown(peer: string, id: string): void {
    const { current, next } = this.#stored
    if (next && certificateId(next.held.certificate) === id && !next.knownBy.includes(peer)) {
      this.#stored = { current, next: { held: next.held, knownBy: [...next.knownBy, peer] } }
      this.#save()
    }
  }

  /** Steps over to the next certificate once all of these peers know it; tells whether it did. */
  stepOver(everyone: readonly string[]): boolean {
    const { next } = this.#stored
    if (!next || !everyone.every(peer => next.knownBy.includes(peer))) {
      return false
    }
    this.#promote(next.held)
    return true
  }

  #promote(held: HeldCertificate): void {
    this.#stored = { current: held }
    this.#save()
  }

  #save(): void {
    writeDurably(this.#owner.file, `${JSON.stringify(this.#stored, undefined, 2)}\n`, 0o600)
  }
}

function made({ keyId, privateKey, clock }: Owner): HeldCertificate {
  const wholeSeconds = clock.now() - (clock.now() % 1000)
  const { certificate, key } = selfSignedCertificate({
    name: serverNameOf(keyId),
    notBefore: wholeSeconds - BACKDATED,
    notAfter: wholeSeconds + LIFE,
  })
  return { ...certify(certificate, privateKey), key }
}

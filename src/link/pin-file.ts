import { existsSync, readFileSync } from 'node:fs'
import { Type } from 'typebox'
import { check } from '#lib/check.ts'
import { FairleadError } from '#lib/errors.ts'
import { writeDurably } from './durable-file.ts'
import { BAD_PUBLIC_IDENTITY, PEER_REVOKED, PINS_DAMAGED, PINS_EMPTY, PINS_MISSING } from './errors.ts'
import { type CertifiedCertificate, type Pin, pinOf, type Role, withCertificate } from './public-identity.ts'
import { type Successor, successorOf } from './succession.ts'

const KEY_ID = /^[0-9a-f]{64}$/

const Stored = Type.Object(
  {
    peers: Type.Array(Type.Unknown(), { maxItems: 1000 }),
    /** keyIds that are never accepted again, whatever is pinned or restored later. */
    revoked: Type.Array(Type.String({ pattern: KEY_ID.source })),
    /** New key -> the old one that it takes the place of when it has been proven; left out when there is none. */
    replaces: Type.Optional(
      Type.Record(Type.String({ pattern: KEY_ID.source }), Type.String({ pattern: KEY_ID.source })),
    ),
  },
  { additionalProperties: false },
)

interface Pins {
  readonly peers: readonly Pin[]
  readonly revoked: readonly string[]
  readonly replaces?: Readonly<Record<string, string>> | undefined
}

/** A file of pinned peers: who may connect. Public keys only, so others may read it, but only its owner may write. */
export class PinFile {
  readonly file: string
  readonly #role: Role
  #pins: Pins = { peers: [], revoked: [] }

  /** `role` is the only role its peers may have. */
  constructor(file: string, role: Role) {
    this.file = file
    this.#role = role
  }

  /** Reads the file again. Throws PINS_MISSING, PINS_EMPTY or PINS_DAMAGED: no pin must never mean everyone. */
  load(): readonly Pin[] {
    if (!existsSync(this.file)) {
      throw PINS_MISSING(this.file)
    }
    this.#pins = this.#read()
    if (this.#pins.peers.length === 0) {
      throw PINS_EMPTY(this.file)
    }
    return this.#pins.peers
  }

  get peers(): readonly Pin[] {
    return this.#pins.peers
  }

  /** Pins a public identity (unknown JSON). Throws BAD_PUBLIC_IDENTITY or PEER_REVOKED. */
  trust(value: unknown): Pin {
    const pin = pinOf(value, 'The given text')
    if (pin.role !== this.#role) {
      throw BAD_PUBLIC_IDENTITY('The given text', `it is of a ${pin.role}, a ${this.#role} was expected`)
    }
    this.#pins = existsSync(this.file) ? this.#read() : this.#pins
    if (this.#pins.revoked.includes(pin.keyId)) {
      throw PEER_REVOKED(pin.keyId)
    }
    this.#save({ peers: [...this.#pins.peers.filter(peer => peer.keyId !== pin.keyId), pin] })
    return pin
  }

  /** Takes a peer's trust away for good. Throws BAD_PUBLIC_IDENTITY for what is no keyId. */
  revoke(keyId: string): void {
    if (!KEY_ID.test(keyId)) {
      throw BAD_PUBLIC_IDENTITY(JSON.stringify(keyId), 'a keyId has 64 hexadecimal digits')
    }
    this.#pins = existsSync(this.file) ? this.#read() : this.#pins
    this.#save({
      peers: this.#pins.peers.filter(peer => peer.keyId !== keyId),
      revoked: [...new Set([...this.#pins.revoked, keyId])],
    })
  }

  /** Adds the certificate that a pinned peer will show next. Throws BAD_PUBLIC_IDENTITY unless its key vouches for it. */
  learn(keyId: string, certificate: CertifiedCertificate): void {
    this.#pins = this.#read()
    this.#save({
      peers: this.#pins.peers.map(peer => (peer.keyId === keyId ? withCertificate(peer, certificate) : peer)),
    })
  }

  /**
   * Pins the next key of a peer beside its present one: until it has proven itself both may connect. Throws
   * BAD_PUBLIC_IDENTITY unless the present one vouches for it, and PEER_REVOKED.
   */
  follow(keyId: string, said: Successor): Pin {
    this.#pins = this.#read()
    const { peers, revoked, replaces = {} } = this.#pins
    const peer = peers.find(each => each.keyId === keyId)
    if (!peer) {
      throw BAD_PUBLIC_IDENTITY('The successor', 'the one before it is not pinned')
    }
    const next = successorOf(peer, said)
    if (revoked.includes(next.keyId)) {
      throw PEER_REVOKED(next.keyId)
    }
    // One at a time: whoever has the old key cannot fill the file.
    const others = peers.filter(each => each.keyId !== next.keyId && replaces[each.keyId] !== keyId)
    const still = Object.entries(replaces).filter(([, old]) => old !== keyId)
    this.#save({
      peers: [...others, next],
      replaces: { ...Object.fromEntries(still), [next.keyId]: keyId },
    })
    return next
  }

  /** A peer has proven to have this key: the one before it is nobody's any more. Gives whether there was one. */
  met(keyId: string): boolean {
    if (this.#pins.replaces?.[keyId] === undefined) {
      return false
    }
    this.#pins = this.#read()
    const { [keyId]: old, ...replaces } = this.#pins.replaces ?? {}
    if (old === undefined) {
      return false
    }
    this.#save({
      peers: this.#pins.peers.filter(peer => peer.keyId !== old),
      revoked: [...new Set([...this.#pins.revoked, old])],
      replaces: Object.keys(replaces).length > 0 ? replaces : undefined,
    })
    return true
  }

  #save(change: Partial<Pins>): void {
    this.#pins = { ...this.#pins, ...change }
    writeDurably(this.file, `${JSON.stringify(this.#pins, undefined, 2)}\n`, 0o644)
  }

  #read(): Pins {
    try {
      const stored = check(Stored, JSON.parse(readFileSync(this.file, 'utf8')), 'The file')
      const peers = stored.peers.map((peer, index) => pinOf(peer, `Peer ${index + 1}`))
      const wrong = peers.find(peer => peer.role !== this.#role)
      if (wrong) {
        throw BAD_PUBLIC_IDENTITY(`Peer ${wrong.name}`, `it is a ${wrong.role}, not a ${this.#role}`)
      }
      const { revoked, replaces } = stored
      return { peers: peers.filter(peer => !revoked.includes(peer.keyId)), revoked, replaces }
    } catch (error) {
      throw PINS_DAMAGED(
        this.file,
        error instanceof FairleadError ? error.message : 'it is not readable JSON',
      )
    }
  }
}

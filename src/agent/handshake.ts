import { randomBytes } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import type { RawData } from 'ws'
import { CLOSE, MANAGER_FRAMES, PROTOCOL_VERSION } from '#contract/agent-frames.ts'
import { check } from '#lib/check.ts'
import type { FairleadError } from '#lib/errors.ts'
import { BAD_FRAME, VERSION_UNSUPPORTED } from '#link/errors.ts'
import { readFrame } from '#link/frames.ts'
import type { Identity } from '#link/identity.ts'
import { type Pin, publicKeyOf } from '#link/public-identity.ts'
import { certificateIdsOf } from '#link/tls.ts'
import { channelOf, isProven, prove, type Transcript } from '#link/transcript.ts'
import { MANAGER_CONNECTED, NOT_PROVEN, STALE_EPOCH } from './errors.ts'

const VERSIONS = [PROTOCOL_VERSION]

/** Why a socket is closed before it became a session. */
export class Refusal extends Error {
  readonly code: number
  readonly error: FairleadError
  /** Sent before the close only to those who may know: a stranger learns nothing but the code. */
  readonly audience: 'peer' | 'log'

  constructor(code: number, error: FairleadError, audience: 'peer' | 'log') {
    super(error.message)
    this.code = code
    this.error = error
    this.audience = audience
  }
}

/** A manager that has shown who it is, and our own proof for it. */
export interface Proven {
  readonly pin: Pin
  readonly epoch: number
  readonly sig: string
}

/** The agent's half of the handshake on one socket: hello, then one auth frame. Makes no state before the proof. */
export class Handshake {
  readonly #identity: Identity
  readonly #tls: TLSSocket
  readonly #nonce = randomBytes(32)

  constructor(identity: Identity, tls: TLSSocket) {
    this.#identity = identity
    this.#tls = tls
  }

  hello(facts: { readonly now: number; readonly build: string }): Readonly<Record<string, unknown>> {
    const { name, role } = this.#identity
    const nonce = this.#nonce.toString('base64')
    return { v: VERSIONS, agent: name, role, nonce, time: Math.floor(facts.now / 1000), build: facts.build }
  }

  /** Throws a Refusal. */
  verify(received: { data: RawData; kind: 'binary' | 'text' }, pins: readonly Pin[]): Proven {
    const auth = readAuth(received)
    const pin = pins.find(({ keyId }) => keyId === auth.keyId)
    const channel = channelOf(this.#tls, 'server')
    if (!pin || !channel || !certificateIdsOf([pin]).has(channel.clientCertificate.toString('hex'))) {
      throw notProven()
    }
    const transcript: Transcript = {
      agent: this.#identity.keyId,
      agentNonce: this.#nonce,
      managerNonce: Buffer.from(auth.nonce, 'base64'),
      epoch: auth.epoch,
      versions: VERSIONS,
      channel,
    }
    if (!isProven('manager', transcript, { key: publicKeyOf(pin.spki, 'The pin'), sig: auth.sig })) {
      throw notProven()
    }
    return { pin, epoch: auth.epoch, sig: prove('agent', transcript, this.#identity.privateKey) }
  }
}

interface Epochs {
  readonly offered: number
  /** Highest ever served. */
  readonly seen: number
  /** Of the session that is open now. */
  readonly live: number | undefined
}

/**
 * One manager at a time, and never an older one: a restored backup or the losing half of a split pair has a lower
 * epoch. Gives what to do with the open session; throws a Refusal.
 */
export function decideEpoch({ offered, seen, live }: Epochs): 'open' | 'take over' {
  if (offered < seen) {
    throw new Refusal(CLOSE.busy, STALE_EPOCH(offered, seen), 'peer')
  }
  if (live === undefined) {
    return 'open'
  }
  if (offered === live) {
    throw new Refusal(CLOSE.busy, MANAGER_CONNECTED(live), 'peer')
  }
  return 'take over'
}

function readAuth({ data, kind }: { data: RawData; kind: 'binary' | 'text' }) {
  const frame = refusing(() => readFrame(data, kind))
  if (frame.command !== 'auth') {
    throw notProven()
  }
  if (typeof frame.data.v === 'number' && !VERSIONS.includes(frame.data.v)) {
    const error = VERSION_UNSUPPORTED(String(frame.data.v), VERSIONS.join(', ')).with({
      facts: { supported: VERSIONS },
    })
    throw new Refusal(CLOSE.version, error, 'peer')
  }
  return refusing(() => check(MANAGER_FRAMES.auth, frame.data, 'The frame auth', BAD_FRAME))
}

function refusing<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw BAD_FRAME.matches(error) ? new Refusal(CLOSE.badFrame, error, 'log') : error
  }
}

function notProven(): Refusal {
  return new Refusal(CLOSE.badProof, NOT_PROVEN(), 'log')
}

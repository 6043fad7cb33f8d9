import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Type } from 'typebox'
import type { Clock } from '#lib/clock.ts'
import { moveDurably, writeDurably } from './durable-file.ts'
import { IDENTITY_DAMAGED } from './errors.ts'
import { readPrivateFile } from './private-file.ts'
import { keyIdOf, Name, type PublicIdentity, Role } from './public-identity.ts'
import { proveSuccession, type Successor } from './succession.ts'
import { TlsCertificates } from './tls-certificates.ts'

const IDENTITY = 'identity.json'
const CERTIFICATES = 'tls.json'
/** All that an identity is. */
export const IDENTITY_FILES: readonly string[] = [CERTIFICATES, IDENTITY]

const Stored = Type.Object(
  {
    name: Name,
    role: Role,
    key: Type.String(),
  },
  { additionalProperties: false },
)

/** Who a manager or an agent is: an Ed25519 key that never leaves its host, and TLS certificates that it vouches for. */
export interface Identity {
  readonly name: string
  readonly role: Role
  /** sha256 of the public key (SPKI DER), hex. */
  readonly keyId: string
  /** Public key, SPKI DER in base64. */
  readonly spki: string
  readonly privateKey: KeyObject
  readonly certificates: TlsCertificates
  readonly succession: Succession
}

/** The change to a new key: none -> made, in a folder beside -> (the other sides have pinned it) this identity. */
export interface Succession {
  /** What the other sides are told of the key that is to come; undefined: none is. */
  readonly next: Successor | undefined
  /** Makes the key that is to come; the same one until it has come. */
  prepare(): Successor
  /** From now on the identity is the next one; the old key is gone. */
  take(): void
}

export interface IdentityPlace {
  /** Holds identity.json and tls.json, both mode 0600; the next ones in next/. */
  readonly folder: string
  readonly clock: Clock
}

/** The identity in this folder. Throws IDENTITY_MISSING or IDENTITY_DAMAGED; never makes a new one in its place. */
export function loadIdentity(place: IdentityPlace): Identity {
  return opened(place, owner => TlsCertificates.load(owner))
}

/** The identity in this folder, made if there is none. */
export function loadOrCreateIdentity(place: MadePlace): Identity {
  makeFiles(place)
  return opened(place, loadOrCreate)
}

type MadePlace = IdentityPlace & { readonly name: string; readonly role: Role }

function made(place: MadePlace): Held {
  makeFiles(place)
  return heldIn(place, loadOrCreate)
}

function makeFiles({ folder, name, role }: MadePlace): void {
  const file = join(folder, IDENTITY)
  if (!existsSync(file)) {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const key = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })
    writeDurably(file, `${JSON.stringify({ name, role, key }, undefined, 2)}\n`, 0o600)
  }
}

function loadOrCreate(owner: Owner): TlsCertificates {
  return existsSync(owner.file) ? TlsCertificates.load(owner) : TlsCertificates.create(owner)
}

/** What the other side pins. */
export function publicIdentity(identity: Held): PublicIdentity {
  const { name, role, keyId, spki, certificates } = identity
  const { certificate, binding, notAfter } = certificates.current
  return { name, role, keyId, spki, certificate, binding, notAfter }
}

type Owner = Parameters<typeof TlsCertificates.load>[0]
type Held = Omit<Identity, 'succession'>

/** One object for the whole life of the process, whatever key it is about. */
function opened(place: IdentityPlace, certificatesOf: (owner: Owner) => TlsCertificates): Identity {
  endSuccession(place.folder)
  let held = heldIn(place, certificatesOf)
  let next = existsSync(join(nextIn(place.folder), IDENTITY)) ? nextTo(held, place) : undefined
  return {
    get name() {
      return held.name
    },
    get role() {
      return held.role
    },
    get keyId() {
      return held.keyId
    },
    get spki() {
      return held.spki
    },
    get privateKey() {
      return held.privateKey
    },
    get certificates() {
      return held.certificates
    },
    succession: {
      get next() {
        return next && proveSuccession(held, next, publicIdentity(next))
      },
      prepare() {
        next ??= nextTo(held, place)
        return proveSuccession(held, next, publicIdentity(next))
      },
      take() {
        const folder = nextIn(place.folder)
        // From this moment on it is the new one; endSuccession does the rest, also after a crash.
        moveDurably(join(folder, IDENTITY), join(place.folder, IDENTITY))
        endSuccession(place.folder)
        next = undefined
        held = heldIn(place, TlsCertificates.load)
      },
    },
  }
}

function nextIn(folder: string): string {
  return join(folder, 'next')
}

function nextTo({ name, role }: Held, { folder, clock }: IdentityPlace): Held {
  return made({ folder: nextIn(folder), clock, name, role })
}

/** What is left when the identity has come and its certificates have not. */
function endSuccession(folder: string): void {
  const next = nextIn(folder)
  if (existsSync(join(next, CERTIFICATES)) && !existsSync(join(next, IDENTITY))) {
    moveDurably(join(next, CERTIFICATES), join(folder, CERTIFICATES))
    rmSync(next, { recursive: true })
  }
}

function heldIn({ folder, clock }: IdentityPlace, certificatesOf: (owner: Owner) => TlsCertificates): Held {
  const file = join(folder, IDENTITY)
  const { name, role, key } = readPrivateFile(file, Stored)
  const privateKey = parseKey(file, key)
  const publicKey = createPublicKey(privateKey)
  const keyId = keyIdOf(publicKey)
  return {
    name,
    role,
    keyId,
    spki: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    privateKey,
    certificates: certificatesOf({ file: join(folder, CERTIFICATES), keyId, privateKey, clock }),
  }
}

function parseKey(file: string, pem: string): KeyObject {
  let key: KeyObject | undefined
  try {
    key = createPrivateKey(pem)
  } catch {
    // Falls through to the one refusal below; the cause could quote the key.
  }
  if (key?.asymmetricKeyType !== 'ed25519') {
    throw IDENTITY_DAMAGED(file, 'it holds no Ed25519 key')
  }
  return key
}

import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Type } from 'typebox'
import type { Clock } from '#lib/clock.ts'
import { writeDurably } from './durable-file.ts'
import { IDENTITY_DAMAGED } from './errors.ts'
import { readPrivateFile } from './private-file.ts'
import { keyIdOf, Name, type PublicIdentity, Role } from './public-identity.ts'
import { TlsCertificates } from './tls-certificates.ts'

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
}

export interface IdentityPlace {
  /** Holds identity.json and tls.json, both mode 0600. */
  readonly folder: string
  readonly clock: Clock
}

/** The identity in this folder. Throws IDENTITY_MISSING or IDENTITY_DAMAGED; never makes a new one in its place. */
export function loadIdentity(place: IdentityPlace): Identity {
  return opened(place, owner => TlsCertificates.load(owner))
}

/** The identity in this folder, made if there is none. */
export function loadOrCreateIdentity(place: IdentityPlace & { name: string; role: Role }): Identity {
  const { name, role, folder } = place
  const file = join(folder, 'identity.json')
  if (!existsSync(file)) {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const key = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })
    writeDurably(file, `${JSON.stringify({ name, role, key }, undefined, 2)}\n`, 0o600)
  }
  return opened(place, owner =>
    existsSync(owner.file) ? TlsCertificates.load(owner) : TlsCertificates.create(owner),
  )
}

/** What the other side pins. */
export function publicIdentity(identity: Identity): PublicIdentity {
  const { name, role, keyId, spki, certificates } = identity
  const { certificate, binding, notAfter } = certificates.current
  return { name, role, keyId, spki, certificate, binding, notAfter }
}

type Owner = Parameters<typeof TlsCertificates.load>[0]

function opened(
  { folder, clock }: IdentityPlace,
  certificatesOf: (owner: Owner) => TlsCertificates,
): Identity {
  const file = join(folder, 'identity.json')
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
    certificates: certificatesOf({ file: join(folder, 'tls.json'), keyId, privateKey, clock }),
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

import { createHash, createPublicKey, type KeyObject, sign, verify, X509Certificate } from 'node:crypto'
import { type Static, Type } from 'typebox'
import { check } from '#lib/check.ts'
import { BAD_PUBLIC_IDENTITY } from './errors.ts'
import { lengthPrefixed } from './length-prefixed.ts'

export const Role = Type.Union([Type.Literal('manager'), Type.Literal('worker'), Type.Literal('guardian')])
export type Role = Static<typeof Role>
export const Name = Type.String({ pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}$' })
const Hex64 = Type.String({ pattern: '^[0-9a-f]{64}$' })
const Base64 = Type.String({ pattern: '^[A-Za-z0-9+/]+={0,2}$', maxLength: 512 })
const strict = { additionalProperties: false } as const

/** A TLS certificate and the identity key's statement that it is its own. */
export const CertifiedCertificate = Type.Object(
  {
    certificate: Type.String({ maxLength: 8192, pattern: '^-----BEGIN CERTIFICATE-----' }),
    binding: Base64,
    notAfter: Type.String({ maxLength: 32 }),
  },
  strict,
)
export type CertifiedCertificate = Static<typeof CertifiedCertificate>

/** What one side hands to the other, by a person or by enrolment, to be pinned. Nothing in it is secret. */
export const PublicIdentity = Type.Object(
  { name: Name, role: Role, keyId: Hex64, spki: Base64, ...CertifiedCertificate.properties },
  strict,
)
export type PublicIdentity = Static<typeof PublicIdentity>

/** A pinned peer. Two certificates while one is being replaced. */
export const Pin = Type.Object(
  {
    name: Name,
    role: Role,
    keyId: Hex64,
    spki: Base64,
    certificates: Type.Array(CertifiedCertificate, { minItems: 1, maxItems: 2 }),
  },
  strict,
)
export type Pin = Static<typeof Pin>

/** The pin for a public identity, or for a pin as it was stored. Throws BAD_PUBLIC_IDENTITY unless the key vouches for every certificate. */
export function pinOf(value: unknown, what = 'The text'): Pin {
  const isStoredPin = typeof value === 'object' && value !== null && 'certificates' in value
  const pin = isStoredPin ? check(Pin, value, what, BAD_PUBLIC_IDENTITY) : fromPublicIdentity(value, what)
  const key = publicKeyOf(pin.spki, what)
  if (keyIdOf(key) !== pin.keyId) {
    throw BAD_PUBLIC_IDENTITY(what, 'keyId is not the fingerprint of spki')
  }
  for (const certificate of pin.certificates) {
    checkCertificate(certificate, { key, keyId: pin.keyId, what })
  }
  return pin
}

function fromPublicIdentity(value: unknown, what: string): Pin {
  const { certificate, binding, notAfter, ...peer } = check(PublicIdentity, value, what, BAD_PUBLIC_IDENTITY)
  return { ...peer, certificates: [{ certificate, binding, notAfter }] }
}

/** The pin with one more certificate; the one that ends first goes when there would be three. */
export function withCertificate(pin: Pin, added: CertifiedCertificate): Pin {
  checkCertificate(added, {
    key: publicKeyOf(pin.spki, 'The pin'),
    keyId: pin.keyId,
    what: 'The new certificate',
  })
  const all = [...pin.certificates.filter(known => known.certificate !== added.certificate), added]
  const newestFirst = all.sort((a, b) => Date.parse(b.notAfter) - Date.parse(a.notAfter))
  return { ...pin, certificates: newestFirst.slice(0, 2) }
}

interface Claim {
  readonly key: KeyObject
  readonly keyId: string
  readonly what: string
}

/** Throws BAD_PUBLIC_IDENTITY unless this key certified exactly this certificate, made for it. */
function checkCertificate(certified: CertifiedCertificate, { key, keyId, what }: Claim): void {
  const certificate = parseCertificate(certified.certificate, what)
  if (certificate.validToDate.getTime() !== Date.parse(certified.notAfter)) {
    throw BAD_PUBLIC_IDENTITY(what, 'notAfter is not the end of the certificate')
  }
  if (certificate.subjectAltName !== `DNS:${serverNameOf(keyId)}` || certificate.ca) {
    throw BAD_PUBLIC_IDENTITY(what, 'the certificate was made for someone else')
  }
  if (
    !verify(
      null,
      bindingText(certificate.raw, certified.notAfter),
      key,
      Buffer.from(certified.binding, 'base64'),
    )
  ) {
    throw BAD_PUBLIC_IDENTITY(what, 'the identity key does not vouch for the certificate')
  }
}

/** The identity key's statement that a certificate is its own, base64. */
export function certify(certificate: string, key: KeyObject): CertifiedCertificate {
  const parsed = new X509Certificate(certificate)
  const notAfter = parsed.validToDate.toISOString()
  return {
    certificate,
    binding: sign(null, bindingText(parsed.raw, notAfter), key).toString('base64'),
    notAfter,
  }
}

function bindingText(der: Buffer, notAfter: string): Buffer {
  return lengthPrefixed('fairlead-tls-binding-v1', [fingerprintOf(der), Buffer.from(notAfter)])
}

/** sha256 of DER. */
export function fingerprintOf(der: Buffer): Buffer {
  return createHash('sha256').update(der).digest()
}

/** sha256 of a PEM certificate's DER, hex. */
export function certificateId(certificate: string): string {
  return fingerprintOf(new X509Certificate(certificate).raw).toString('hex')
}

/** sha256 of the public key's SPKI DER, hex: the name of an identity that cannot be faked. */
export function keyIdOf(key: KeyObject): string {
  return fingerprintOf(key.export({ type: 'spki', format: 'der' })).toString('hex')
}

/** The DNS name in the certificates of an identity; a DNS label holds at most 63 characters, so half of the id. */
export function serverNameOf(keyId: string): string {
  return `${keyId.slice(0, 32)}.fairlead`
}

export function publicKeyOf(spki: string, what: string): KeyObject {
  let key: KeyObject
  try {
    key = createPublicKey({ key: Buffer.from(spki, 'base64'), type: 'spki', format: 'der' })
  } catch {
    throw BAD_PUBLIC_IDENTITY(what, 'spki is not a public key')
  }
  if (key.asymmetricKeyType !== 'ed25519') {
    throw BAD_PUBLIC_IDENTITY(what, 'spki is not an Ed25519 key')
  }
  return key
}

function parseCertificate(pem: string, what: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch {
    throw BAD_PUBLIC_IDENTITY(what, 'the certificate cannot be read')
  }
}

import { generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto'

const ED25519 = '06032b6570'
const COMMON_NAME = '0603550403'
const BASIC_CONSTRAINTS = '0603551d13'
const KEY_USAGE = '0603551d0f'
const EXTENDED_KEY_USAGE = '0603551d25'
const ALTERNATIVE_NAME = '0603551d11'
const SERVER_AUTH = '06082b06010505070301'
const CLIENT_AUTH = '06082b06010505070302'
const DIGITAL_SIGNATURE = '03020780'
const TRUE = '0101ff'

export interface CertificateWish {
  /** DNS name (subject alternative name). */
  readonly name: string
  /** ms since 1970; cut to whole seconds. */
  readonly notBefore: number
  readonly notAfter: number
}

export interface CertificateAndKey {
  /** PEM. */
  readonly certificate: string
  /** PEM, PKCS #8. */
  readonly key: string
}

/**
 * A self-signed Ed25519 certificate for both ends of TLS 1.3, with a new key. Node reads certificates but makes
 * none, and this one shape (RFC 5280, RFC 8410) is 60 lines of DER; the libraries that make any shape cost each
 * part 20 MB of memory.
 */
export function selfSignedCertificate(wish: CertificateWish): CertificateAndKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const serial = serialNumber()
  // Each certificate has a subject of its own: OpenSSL looks for the issuer by subject, and with two certificates of
  // one subject among its authorities it may take the wrong one. Who it is for says the alternative name.
  const subject = nameOf(serial.toString('hex'))
  const facts = sequence(
    tagged(0xa0, tagged(0x02, hex('02'))),
    tagged(0x02, serial),
    sequence(hex(ED25519)),
    subject,
    sequence(time(wish.notBefore), time(wish.notAfter)),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, extensions(wish.name)),
  )
  const certificate = new X509Certificate(
    sequence(facts, sequence(hex(ED25519)), bits(signed(facts, privateKey))),
  )
  return {
    certificate: certificate.toString(),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

function extensions(name: string): Buffer {
  return sequence(
    sequence(hex(BASIC_CONSTRAINTS), hex(TRUE), text(sequence())),
    sequence(hex(KEY_USAGE), hex(TRUE), text(hex(DIGITAL_SIGNATURE))),
    sequence(hex(EXTENDED_KEY_USAGE), text(sequence(hex(SERVER_AUTH), hex(CLIENT_AUTH)))),
    sequence(hex(ALTERNATIVE_NAME), text(sequence(tagged(0x82, Buffer.from(name, 'latin1'))))),
  )
}

function nameOf(name: string): Buffer {
  const commonName = sequence(hex(COMMON_NAME), tagged(0x0c, Buffer.from(name)))
  return sequence(tagged(0x31, commonName))
}

/** 16 random bytes; the first is 0x40 to 0x7f, so the number is positive and has no leading zero. */
function serialNumber(): Buffer {
  const number = randomBytes(16)
  number[0] = ((number[0] ?? 0) & 0x3f) | 0x40
  return number
}

/** UTCTime up to 2049, GeneralizedTime from 2050 on, as RFC 5280 asks. */
function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/[-:T]|\..*$/g, '')
  return digits < '2050'
    ? tagged(0x17, Buffer.from(`${digits.slice(2)}Z`))
    : tagged(0x18, Buffer.from(`${digits}Z`))
}

function signed(facts: Buffer, key: KeyObject): Buffer {
  return sign(null, facts, key)
}

function bits(content: Buffer): Buffer {
  return tagged(0x03, Buffer.concat([hex('00'), content]))
}

function text(content: Buffer): Buffer {
  return tagged(0x04, content)
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts))
}

function tagged(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([tag, ...lengthOf(content)]), content])
}

function lengthOf({ length }: Buffer): number[] {
  if (length < 0x80) {
    return [length]
  }
  return length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
}

function hex(digits: string): Buffer {
  return Buffer.from(digits, 'hex')
}

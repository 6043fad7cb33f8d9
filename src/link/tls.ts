import type { ServerOptions } from 'node:https'
import type { SecureContextOptions } from 'node:tls'
import { NO_PINS } from './errors.ts'
import type { Identity } from './identity.ts'
import { AUTH_DEADLINE_MS } from './limits.ts'
import { certificateId, type Pin, serverNameOf } from './public-identity.ts'

/** What an agent's TLS server accepts: TLS 1.3, with one of the pinned certificates, and nobody else. */
export function serverTls(identity: Identity, pins: readonly Pin[]): ServerOptions {
  const { certificate, key } = identity.certificates.current
  return {
    key,
    cert: certificate,
    ca: authorities(pins),
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    honorCipherOrder: true,
    handshakeTimeout: AUTH_DEADLINE_MS,
  }
}

/**
 * What a manager's TLS client accepts: TLS 1.3, with a certificate pinned for exactly this agent and made for its
 * name. Whoever connects compares the certificate with certificateIdsOf afterwards, too.
 */
export function clientTls(
  identity: Identity,
  pin: Pin,
): SecureContextOptions & { rejectUnauthorized: true; servername: string } {
  const { certificate, key } = identity.certificates.shownTo(pin.keyId)
  return {
    key,
    cert: certificate,
    ca: authorities([pin]),
    rejectUnauthorized: true,
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    servername: serverNameOf(pin.keyId),
  }
}

/** Ids of the certificates that these peers may show. */
export function certificateIdsOf(pins: readonly Pin[]): ReadonlySet<string> {
  return new Set(pins.flatMap(pin => pin.certificates.map(({ certificate }) => certificateId(certificate))))
}

/**
 * The only place that builds `ca`. Node takes a missing or empty `ca` for "every public authority", so an empty
 * list of pins would open the door instead of closing it. Throws NO_PINS.
 */
export function authorities(pins: readonly Pin[]): string[] {
  const all = pins.flatMap(pin => pin.certificates.map(({ certificate }) => certificate))
  if (all.length === 0 || all.some(pem => pem.trim() === '')) {
    throw NO_PINS()
  }
  return all
}

import type { CertificateAndKey } from '#link/certificate.ts'

/** In the certificate of the leader; nobody looks it up. */
export const PEER_SERVER_NAME = 'leader.fairlead'

/**
 * What both ends of the way between managers show, and the only thing that they accept: a pair of the leader's own,
 * new with each leader. Whoever can read the database and open what is sealed there has it, and nobody else.
 */
export type PeerKeys = CertificateAndKey

export function peerTls({ certificate, key }: PeerKeys) {
  return {
    cert: certificate,
    key,
    ca: certificate,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
  } as const
}

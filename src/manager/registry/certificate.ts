import { createPrivateKey, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { CERTIFICATE_UNFIT } from './errors.ts'

/** When a certificate ends, and whether it signed itself. CERTIFICATE_UNFIT when it cannot be served under this name now. */
export function checkCertificate(
  { certificate, key, name }: { readonly certificate: string; readonly key: string; readonly name: string },
  now: number,
): { readonly endsAt: number; readonly selfSigned: boolean } {
  try {
    const read = new X509Certificate(certificate)
    const endsAt = read.validToDate.getTime()
    const fault = faultOf(read, { name, key, now, endsAt })
    if (fault !== undefined) {
      throw CERTIFICATE_UNFIT(name, fault)
    }
    return { endsAt, selfSigned: read.verify(read.publicKey) }
  } catch (error) {
    throw CERTIFICATE_UNFIT.matches(error)
      ? error
      : CERTIFICATE_UNFIT(name, `it cannot be read (${(error as Error).message})`)
  }
}

export function certificateEnd(certificate: string): number {
  return new X509Certificate(certificate).validToDate.getTime()
}

interface Facts {
  readonly name: string
  readonly key: string
  readonly now: number
  readonly endsAt: number
}

function faultOf(certificate: X509Certificate, { name, key, now, endsAt }: Facts): string | undefined {
  const fits = isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)
  if (fits === undefined) {
    return `it is for ${certificate.subjectAltName ?? 'no name'}`
  }
  if (endsAt <= now) {
    return `it ended on ${certificate.validTo}`
  }
  if (certificate.validFromDate.getTime() > now) {
    return `it begins on ${certificate.validFrom}`
  }
  return certificate.checkPrivateKey(createPrivateKey(key)) ? undefined : 'the key is another one'
}

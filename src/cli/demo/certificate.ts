// The certificate library wants Reflect metadata to be there before it is loaded.
import 'reflect-metadata'
import { X509Certificate as NodeCertificate, randomBytes, webcrypto } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'
import { systemClock } from '#lib/clock.ts'

const DAY_MS = 86_400_000
const RENEW_BEFORE_MS = 30 * DAY_MS
const EC_P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

/** What a program of the demo calls itself. */
export const LOOPBACK_NAMES: readonly string[] = ['127.0.0.1', 'localhost']

/** Both as PEM. The certificate is its own authority: clients trust it by taking it as CA. */
export interface Certificate {
  readonly certificate: string
  readonly key: string
}

export interface CertificateFiles extends Certificate {
  readonly certificateFile: string
  readonly keyFile: string
}

/** The self-signed certificate kept in a folder; made when there is none or it ends within 30 days. */
export async function certificateIn(folder: string, names = LOOPBACK_NAMES): Promise<CertificateFiles> {
  const certificateFile = join(folder, 'certificate.pem')
  const keyFile = join(folder, 'key.pem')
  const kept = await readCertificate(certificateFile, keyFile)
  const certificate = kept ?? (await selfSignedCertificate(names))
  if (!kept) {
    await mkdir(folder, { recursive: true })
    await writeFile(keyFile, certificate.key, { mode: 0o600 })
    await writeFile(certificateFile, certificate.certificate)
  }
  return { ...certificate, certificateFile, keyFile }
}

/** A new self-signed server certificate (EC P-256, one year) for host names and IP addresses. */
export async function selfSignedCertificate(names: readonly string[]): Promise<Certificate> {
  const keys = await webcrypto.subtle.generateKey(EC_P256, true, ['sign', 'verify'])
  const now = systemClock.now()
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: `00${randomBytes(16).toString('hex')}`,
    name: `CN=${names[0] ?? 'localhost'}`,
    notBefore: new Date(now - DAY_MS),
    notAfter: new Date(now + 365 * DAY_MS),
    signingAlgorithm: EC_P256,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyCertSign, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(
        names.map(name => ({ type: isIP(name) ? 'ip' : 'dns', value: name }) as const),
      ),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
  return {
    certificate: `${certificate.toString('pem')}\n`,
    key: `${PemConverter.encode(key, 'PRIVATE KEY')}\n`,
  }
}

async function readCertificate(certificateFile: string, keyFile: string): Promise<Certificate | undefined> {
  try {
    const certificate = await readFile(certificateFile, 'utf8')
    const key = await readFile(keyFile, 'utf8')
    const end = new NodeCertificate(certificate).validToDate.getTime()
    return end - systemClock.now() > RENEW_BEFORE_MS ? { certificate, key } : undefined
  } catch {
    return undefined
  }
}

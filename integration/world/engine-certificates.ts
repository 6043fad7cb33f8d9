// The certificate library wants Reflect metadata to be there before it is loaded.
import 'reflect-metadata'
import { randomBytes, webcrypto } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
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
  X509CertificateGenerator,
} from '@peculiar/x509'
import { systemClock } from '#lib/clock.ts'

const DAY_MS = 86_400_000
const EC_P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

/** Files as the docker CLI wants them in one folder. */
export interface CertificateFolder {
  readonly folder: string
  readonly ca: string
  readonly cert: string
  readonly key: string
}

export interface CertificateWish {
  /** Where ca.pem, cert.pem and key.pem are written. */
  readonly folder: string
  readonly use: 'server' | 'client'
  /** Host names and addresses that a server is called by. */
  readonly names?: readonly string[]
  /** Default: a year from now. */
  readonly notAfter?: number
}

/** An authority that signs the certificates of engines and of their clients. */
export interface Authority {
  issue(wish: CertificateWish): Promise<CertificateFolder>
}

export async function createAuthority(): Promise<Authority> {
  const keys = await newKeys()
  const name = `CN=engines ${randomBytes(4).toString('hex')}`
  const authority = await X509CertificateGenerator.createSelfSigned({
    ...validity(),
    name,
    signingAlgorithm: EC_P256,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  })
  return {
    async issue({ folder, use, names = [], notAfter }) {
      const own = await newKeys()
      const certificate = await X509CertificateGenerator.create({
        ...validity(notAfter),
        subject: `CN=${use}`,
        issuer: name,
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: EC_P256,
        extensions: [
          new ExtendedKeyUsageExtension([
            use === 'server' ? ExtendedKeyUsage.serverAuth : ExtendedKeyUsage.clientAuth,
          ]),
          ...(names.length === 0 ? [] : [new SubjectAlternativeNameExtension(names.map(asName))]),
        ],
      })
      const key = await webcrypto.subtle.exportKey('pkcs8', own.privateKey)
      const files = {
        folder,
        ca: join(folder, 'ca.pem'),
        cert: join(folder, 'cert.pem'),
        key: join(folder, 'key.pem'),
      }
      await mkdir(folder, { recursive: true })
      await writeFile(files.ca, `${authority.toString('pem')}\n`)
      await writeFile(files.cert, `${certificate.toString('pem')}\n`)
      await writeFile(files.key, `${PemConverter.encode(key, 'PRIVATE KEY')}\n`, { mode: 0o600 })
      return files
    },
  }
}

async function newKeys() {
  return await webcrypto.subtle.generateKey(EC_P256, true, ['sign', 'verify'])
}

function validity(notAfter = systemClock.now() + 365 * DAY_MS) {
  return {
    serialNumber: `00${randomBytes(16).toString('hex')}`,
    notBefore: new Date(Math.min(systemClock.now(), notAfter) - DAY_MS),
    notAfter: new Date(notAfter),
  }
}

function asName(value: string) {
  return { type: isIP(value) ? 'ip' : 'dns', value } as const
}

import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { EngineTls, RemoteEngines } from '#exec/remote-engines.ts'
import { Secret } from '#lib/secret.ts'
import { ENGINES_INVALID } from './errors.ts'

export interface TlsFiles {
  readonly ca: string
  readonly cert: string
  readonly key: string
}

/** What was read, and from where. */
export interface WorkerEngineTls extends Omit<EngineTls, 'folder'> {
  readonly name: string
  readonly files: TlsFiles
}

/** What an engine behind TLS needs, read and checked: a mistake is said at the start and not by the first deployment. */
export function readEngineTls(name: string, files: TlsFiles, now: number): WorkerEngineTls {
  const ca = certificateIn(files.ca, now)
  const cert = certificateIn(files.cert, now)
  const key = keyIn(files.key)
  if (!cert.x509.checkPrivateKey(key.key)) {
    throw ENGINES_INVALID(files.key, `it is not the key of the certificate in ${files.cert}`)
  }
  return { name, files, ca: ca.text, cert: cert.text, key: new Secret(key.text) }
}

function certificateIn(file: string, now: number): { text: string; x509: X509Certificate } {
  const text = textOf(file)
  let x509: X509Certificate
  try {
    x509 = new X509Certificate(text)
  } catch {
    throw ENGINES_INVALID(file, 'it holds no certificate (PEM)')
  }
  if (x509.validToDate.getTime() <= now) {
    throw ENGINES_INVALID(file, `its certificate has ended on ${x509.validToDate.toISOString()}`)
  }
  if (x509.validFromDate.getTime() > now) {
    throw ENGINES_INVALID(file, `its certificate begins on ${x509.validFromDate.toISOString()}`)
  }
  return { text, x509 }
}

function keyIn(file: string) {
  const mode = statSync(file, { throwIfNoEntry: false })?.mode ?? 0
  if ((mode & 0o077) !== 0) {
    throw ENGINES_INVALID(
      file,
      `others than its owner may read it (mode ${(mode & 0o777).toString(8)}, wanted 600)`,
    )
  }
  const text = textOf(file)
  try {
    return { text, key: createPrivateKey(text) }
  } catch {
    throw ENGINES_INVALID(file, 'it holds no private key (PEM, without a passphrase)')
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw ENGINES_INVALID(file, `it cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
}

/** The docker CLI wants all three under names of its own in one folder: links, so that no key is there twice. */
export function linkForCli(data: string, tls: ReadonlyMap<string, WorkerEngineTls>): RemoteEngines {
  const root = join(data, 'engines')
  rmSync(root, { recursive: true, force: true })
  return new Map(
    [...tls].map(([address, { name, files, ...rest }]) => {
      const folder = join(root, name)
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      symlinkSync(files.ca, join(folder, 'ca.pem'))
      symlinkSync(files.cert, join(folder, 'cert.pem'))
      symlinkSync(files.key, join(folder, 'key.pem'))
      return [address, { ...rest, folder }]
    }),
  )
}

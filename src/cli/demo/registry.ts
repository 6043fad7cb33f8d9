import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { passwordHash } from '#cli/password-hash.ts'
import { answersWith } from './ask.ts'
import { startProcess } from './background-process.ts'
import { type CertificateFiles, certificateIn, LOOPBACK_NAMES } from './certificate.ts'
import { choosePort } from './free-port.ts'

export interface Registry {
  /** `host:PORT`, the first part of an image name. */
  readonly address: string
  /** PEM to trust. */
  readonly ca: string
  readonly username: string
  readonly password: string
  readonly logFile: string
  close(): Promise<void>
}

export interface RegistryOptions {
  /** Images and the certificate are kept here. */
  readonly folder: string
  /** Default: loopback, which engines trust without its certificate. */
  readonly host?: string
  /** Default: a free one. */
  readonly port?: number
  readonly username: string
  readonly password: string
}

/** An image registry on loopback with TLS and a password, once it answers. */
export async function startRegistry(options: RegistryOptions): Promise<Registry> {
  const { folder, host = '127.0.0.1', username, password } = options
  const address = `${host}:${await choosePort(options.port)}`
  const certificate = await certificateIn(
    join(folder, 'certificate'),
    host === '127.0.0.1' ? LOOPBACK_NAMES : [host],
  )
  const configFile = await writeConfig(options, address, certificate)
  const logFile = join(folder, 'registry.log')
  const server = await startProcess({
    program: 'docker-registry',
    args: ['serve', configFile],
    folder,
    logFile,
    ready: () => answersWith(401, `https://${address}/v2/`, certificate.certificate),
  })
  return { address, ca: certificate.certificate, username, password, logFile, close: server.close }
}

async function writeConfig(
  options: RegistryOptions,
  address: string,
  certificate: CertificateFiles,
): Promise<string> {
  const { folder, username, password } = options
  await mkdir(folder, { recursive: true })
  const passwordFile = join(folder, 'htpasswd')
  await writeFile(passwordFile, `${username}:${await passwordHash(password, 'random')}\n`, { mode: 0o600 })
  const config = {
    version: '0.1',
    log: { level: 'info', accesslog: { disabled: false } },
    storage: {
      filesystem: { rootdirectory: join(folder, 'images') },
      delete: { enabled: true },
      // No cache: after a garbage collection it would claim layers that are gone.
    },
    http: { addr: address, tls: { certificate: certificate.certificateFile, key: certificate.keyFile } },
    auth: { htpasswd: { realm: 'registry', path: passwordFile } },
  }
  const configFile = join(folder, 'registry.yml')
  await writeFile(configFile, JSON.stringify(config, null, 2))
  return configFile
}

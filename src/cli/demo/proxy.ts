import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { answersWith, ask } from './ask.ts'
import { startProcess } from './background-process.ts'
import { choosePort, isFree } from './free-port.ts'

export interface Proxy {
  /** Admin API, without a slash at the end. Servers: `fairlead` (HTTP) and `fairlead_tls` (HTTPS). */
  readonly adminUrl: string
  readonly httpPort: number
  readonly httpsPort: number
  readonly logFile: string
  /** PEM of the proxy's own certificate authority, which signs every host's certificate. */
  rootCertificate(): Promise<string>
  close(): Promise<void>
}

export interface ProxyOptions {
  /** Routes, keys and certificates are kept here. */
  readonly folder: string
  /** Each port defaults to the one of the last run, else to a free one. */
  readonly httpPort?: number
  readonly httpsPort?: number
  readonly adminPort?: number
  /** Tried in order at the first start, before any free ports. */
  readonly prefer?: readonly { readonly http: number; readonly https: number }[]
  /** `everywhere`: other machines reach it too, and public host names get public certificates. Default `loopback`. */
  readonly listen?: 'loopback' | 'everywhere'
}

interface CaddyConfig {
  admin: { listen: string; config: { persist: boolean } }
  apps: {
    http: { http_port: number; https_port: number; servers: Record<string, CaddyServer> }
    [app: string]: unknown
  }
}

interface CaddyServer {
  listen: string[]
  routes: unknown[]
  [setting: string]: unknown
}

interface Ports {
  readonly http: number
  readonly https: number
  readonly admin: number
}

/** What visitors of a host read that the proxy knows no app of. */
export const NOTHING_HERE = 'Nothing is deployed here.'

/** A Caddy on this machine, once its admin API and its HTTP server answer. The routes of the last run are there again. */
export async function startProxy(options: ProxyOptions): Promise<Proxy> {
  const { folder } = options
  await mkdir(folder, { recursive: true })
  const last = await lastConfig(folder)
  const ports = await choosePorts(options, last)
  const configFile = join(folder, 'caddy.json')
  await writeFile(
    configFile,
    JSON.stringify(withPorts(last ?? firstConfig(options), ports, addressOf(options)), null, 2),
  )
  const adminUrl = `http://127.0.0.1:${ports.admin}`
  const logFile = join(folder, 'caddy.log')
  const server = await startProcess({
    program: 'caddy',
    args: ['run', '--config', configFile],
    folder,
    logFile,
    env: { XDG_DATA_HOME: join(folder, 'data'), XDG_CONFIG_HOME: join(folder, 'config') },
    ready: () => answersWith(200, `${adminUrl}/pki/ca/local`),
  })
  return {
    adminUrl,
    httpPort: ports.http,
    httpsPort: ports.https,
    logFile,
    rootCertificate: () => readRootCertificate(adminUrl),
    close: server.close,
  }
}

/** What Caddy saved at its last change. Taken by hand and not by `--resume`, which would insist on the old ports. */
async function lastConfig(folder: string): Promise<CaddyConfig | undefined> {
  try {
    const config = JSON.parse(
      await readFile(join(folder, 'config/caddy/autosave.json'), 'utf8'),
    ) as CaddyConfig
    return config.apps.http.servers.fairlead && config.apps.http.servers.fairlead_tls ? config : undefined
  } catch {
    return undefined
  }
}

async function choosePorts(options: ProxyOptions, last: CaddyConfig | undefined): Promise<Ports> {
  const http = last?.apps.http
  const preferred = last ? undefined : await firstFree(options)
  return {
    http: await choosePort(options.httpPort ?? preferred?.http, http?.http_port),
    https: await choosePort(options.httpsPort ?? preferred?.https, http?.https_port),
    admin: await choosePort(options.adminPort, Number(last?.admin.listen.split(':')[1] ?? 0)),
  }
}

async function firstFree(
  options: ProxyOptions,
): Promise<{ readonly http: number; readonly https: number } | undefined> {
  const host = addressOf(options)
  for (const pair of options.prefer ?? []) {
    if ((await isFree(pair.http, host)) && (await isFree(pair.https, host))) {
      return pair
    }
  }
  return undefined
}

function addressOf({ listen }: ProxyOptions): string {
  return listen === 'everywhere' ? '' : '127.0.0.1'
}

function firstConfig({ listen }: ProxyOptions): CaddyConfig {
  // A policy without subjects holds for every host: then nobody outside is ever asked for a certificate.
  const subjects = listen === 'everywhere' ? { subjects: ['localhost'] } : {}
  return {
    admin: { listen: '', config: { persist: true } },
    apps: {
      http: {
        http_port: 0,
        https_port: 0,
        servers: {
          fairlead: { listen: [], routes: [notFound()], automatic_https: { disable: true } },
          fairlead_tls: {
            listen: [],
            routes: [notFound()],
            automatic_https: { disable_redirects: true },
            protocols: ['h1', 'h2'],
            tls_connection_policies: [{}],
          },
        },
      },
      tls: {
        certificates: { automate: ['localhost'] },
        automation: { policies: [{ ...subjects, issuers: [{ module: 'internal' }] }] },
      },
      pki: { certificate_authorities: { local: { install_trust: false } } },
    },
  }
}

/** The last route of a server: without it Caddy answers an unknown host with an empty 200. */
function notFound(): unknown {
  return {
    '@id': 'not-found',
    handle: [{ handler: 'static_response', status_code: 404, body: `${NOTHING_HERE}\n` }],
  }
}

function withPorts(config: CaddyConfig, ports: Ports, address: string): CaddyConfig {
  const { http, ...apps } = config.apps
  const { fairlead, fairlead_tls, ...servers } = http.servers
  if (!fairlead || !fairlead_tls) {
    throw new Error('the configuration of the proxy lacks its servers')
  }
  return {
    ...config,
    admin: { ...config.admin, listen: `127.0.0.1:${ports.admin}` },
    apps: {
      ...apps,
      http: {
        ...http,
        http_port: ports.http,
        https_port: ports.https,
        servers: {
          ...servers,
          fairlead: { ...fairlead, listen: [`${address}:${ports.http}`] },
          fairlead_tls: { ...fairlead_tls, listen: [`${address}:${ports.https}`] },
        },
      },
    },
  }
}

async function readRootCertificate(adminUrl: string): Promise<string> {
  const answer = await ask(`${adminUrl}/pki/ca/local`)
  if (answer.status !== 200) {
    throw new Error(`the proxy does not give its root certificate: ${answer.status} ${answer.body}`)
  }
  return (JSON.parse(answer.body) as { root_certificate: string }).root_certificate
}

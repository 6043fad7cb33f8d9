import { join } from 'node:path'
import { answersWith, ask } from './demo/ask.ts'
import { isFree } from './demo/free-port.ts'
import { startProxy } from './demo/proxy.ts'
import { PROXY_NOT_ANSWERING } from './errors.ts'

/** The Caddy that leads visitors to apps. */
export interface FoundProxy {
  readonly adminUrl: string
  readonly httpPort: number
  readonly httpsPort: number
  readonly ours: 'started' | 'found'
  close(): Promise<void>
}

export interface ProxyToFind {
  readonly folder: string
  readonly listen: 'loopback' | 'everywhere'
  /** FAIRLEAD_PROXY_…: where the Caddy of the person is. */
  readonly environment: Readonly<Record<string, string>>
}

interface CaddyConfig {
  readonly apps?: {
    readonly http?: {
      readonly servers?: Readonly<Record<string, { readonly listen?: readonly string[] }>>
    }
  }
}

const ADMIN = 'http://127.0.0.1:2019'
const PAIRS = [
  { http: 80, https: 443 },
  { http: 8080, https: 8443 },
] as const

/** The Caddy that runs on this machine already, else one of our own that keeps its settings in `folder`. */
export async function findProxy({ folder, listen, environment }: ProxyToFind): Promise<FoundProxy> {
  const named = environment.FAIRLEAD_PROXY_ADMIN?.replace(/\/+$/, '')
  const adminUrl = named ?? ADMIN
  const wanted = {
    ...portNamed('httpPort', environment.FAIRLEAD_PROXY_HTTP_PORT),
    ...portNamed('httpsPort', environment.FAIRLEAD_PROXY_HTTPS_PORT),
  }
  if (await answersWith(200, `${adminUrl}/config/`)) {
    const ports = { ...(await portsOf(adminUrl)), ...wanted }
    return { adminUrl, ...ports, ours: 'found', close: async () => undefined }
  }
  if (named !== undefined) {
    throw PROXY_NOT_ANSWERING(named)
  }
  const proxy = await startProxy({ folder: join(folder, 'proxy'), prefer: PAIRS, listen, ...wanted })
  return { ...proxy, ours: 'started' }
}

function portNamed<K extends string>(key: K, value: string | undefined): Partial<Record<K, number>> {
  return value === undefined ? {} : ({ [key]: Number(value) } as Record<K, number>)
}

/** Where our servers listen in it; when they are not there yet, where they can. */
async function portsOf(adminUrl: string): Promise<{ httpPort: number; httpsPort: number }> {
  const config = JSON.parse((await ask(`${adminUrl}/config/`)).body) as CaddyConfig | null
  const servers = config?.apps?.http?.servers ?? {}
  const httpPort = portIn(servers.fairlead?.listen)
  const httpsPort = portIn(servers.fairlead_tls?.listen)
  const free = (await isFree(80)) && (await isFree(443)) ? PAIRS[0] : PAIRS[1]
  return { httpPort: httpPort ?? free.http, httpsPort: httpsPort ?? free.https }
}

function portIn(listen: readonly string[] | undefined): number | undefined {
  const port = Number(listen?.[0]?.split(':').at(-1))
  return Number.isInteger(port) && port > 0 ? port : undefined
}

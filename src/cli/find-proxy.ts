import { join } from 'node:path'
import { answersWith, ask } from './demo/ask.ts'
import { isFree } from './demo/free-port.ts'
import { startProxy } from './demo/proxy.ts'

/** The Caddy that leads visitors to apps. */
export interface FoundProxy {
  readonly adminUrl: string
  readonly httpPort: number
  readonly httpsPort: number
  readonly ours: 'started' | 'found'
  close(): Promise<void>
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
export async function findProxy(options: {
  readonly folder: string
  readonly listen: 'loopback' | 'everywhere'
}): Promise<FoundProxy> {
  if (await answersWith(200, `${ADMIN}/config/`)) {
    return { adminUrl: ADMIN, ...(await portsOf()), ours: 'found', close: async () => undefined }
  }
  const proxy = await startProxy({
    folder: join(options.folder, 'proxy'),
    prefer: PAIRS,
    listen: options.listen,
  })
  return { ...proxy, ours: 'started' }
}

/** Where our servers listen in it; when they are not there yet, where they can. */
async function portsOf(): Promise<{ httpPort: number; httpsPort: number }> {
  const config = JSON.parse((await ask(`${ADMIN}/config/`)).body) as CaddyConfig | null
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

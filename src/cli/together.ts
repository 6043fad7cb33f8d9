import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { HostDocument } from '#contract/rest/hosts.ts'
import type { Clock } from '#lib/clock.ts'
import { type Client, createClient } from './client.ts'
import { HOST_ELSEWHERE, HOST_NOT_ONLINE } from './errors.ts'
import { keepAddresses } from './own-token.ts'
import { askPart, type Part, type PartOptions, startPart, writePrivateFile } from './parts.ts'

/** A manager and a worker as processes of this machine that know each other's keys. */
export interface Together {
  /** Address of the manager. */
  readonly url: string
  readonly tokenFile: string
  readonly client: Client
  readonly manager: Part
  readonly worker: Part
  /** Ends both; what they deployed keeps running. */
  close(): Promise<void>
}

export interface TogetherOptions {
  /** Everything that both keep. */
  readonly folder: string
  readonly clock: Clock
  /** Further settings, FAIRLEAD_…, with absolute paths; each part gets its own. */
  readonly environment?: Readonly<Record<string, string>>
  readonly managerPort: number
  /** Host that the manager's API listens on; default this machine only. */
  readonly listen?: string
  readonly workerPort: number
  /** Host that the worker listens on; default this machine only. */
  readonly workerListen?: string
  readonly baseDomain: string
  readonly publicUrl?: string
  readonly proxy: { readonly adminUrl: string; readonly httpPort: number; readonly httpsPort: number }
  readonly network?: { readonly name: string; readonly subnet: string }
  readonly registry?: RegistryAccount | undefined
  /** Private networks (CIDR) where Git servers may be. */
  readonly allowPrivate: readonly string[]
}

interface RegistryAccount {
  readonly address: string
  readonly username: string
  readonly password: string
  readonly ca: string
}

const LOOPBACK = '127.0.0.1'
const ONLINE_WITHIN_MS = 20_000
const ASK_AGAIN_MS = 25

/** Makes the keys of both where there are none, pins them on both sides, starts both, and waits for their connection. */
export async function startTogether(options: TogetherOptions): Promise<Together> {
  const manager = managerPart(options)
  const worker = workerPart(options)
  const [managerIdentity, workerIdentity] = await Promise.all([
    askPart({ ...manager, arguments: ['identity'] }),
    askPart({ ...worker, arguments: ['init'] }),
  ])
  const workerFolder = join(options.folder, 'worker')
  const pin = writePrivateFile(workerFolder, 'manager-identity.json', managerIdentity)
  writeFirstPolicy(workerFolder, options)
  await askPart({ ...worker, arguments: ['trust', pin] })
  await using stack = new AsyncDisposableStack()
  const url = `http://${addressHere(options.listen, options.managerPort)}`
  const tokenFile = tokenFileIn(options)
  // Before there is a token: who is killed in between must not leave one that goes to anybody here.
  keepAddresses(tokenFile, [url, ...(options.publicUrl === undefined ? [] : [options.publicUrl])])
  const [startedManager, startedWorker] = await startBoth(stack, manager, worker)
  const client = createClient({ managerUrl: url, token: undefined, tokenFile })
  await enrol(client, { options, identity: JSON.parse(workerIdentity) as Identity })
  const owned = stack.move()
  return {
    url,
    tokenFile,
    client,
    manager: startedManager,
    worker: startedWorker,
    close: () => owned.disposeAsync(),
  }
}

interface Identity extends Record<string, unknown> {
  readonly name: string
}

/** When one of them does not start, the other one is ended again. */
async function startBoth(
  stack: AsyncDisposableStack,
  manager: PartOptions,
  worker: PartOptions,
): Promise<[Part, Part]> {
  const starts = [manager, worker].map(async options => {
    const part = await startPart(options)
    stack.defer(part.close)
    return part
  })
  const results = await Promise.allSettled(starts)
  const failed = results.find(result => result.status === 'rejected')
  if (failed) {
    throw failed.reason
  }
  return (await Promise.all(starts)) as [Part, Part]
}

async function enrol(
  client: Client,
  { options, identity }: { options: TogetherOptions; identity: Identity },
): Promise<void> {
  const address = addressHere(options.workerListen, options.workerPort)
  const { items } = await client.get<{ items: HostDocument[] }>('/hosts')
  const known = items.find(host => host.name === identity.name)
  if (known && known.address !== address) {
    throw HOST_ELSEWHERE(identity.name, known.address)
  }
  if (!known) {
    await client.send('POST', '/hosts', { address, identity })
  }
  const { clock } = options
  const deadline = clock.monotonic() + ONLINE_WITHIN_MS
  for (;;) {
    const now = await client.get<{ items: HostDocument[] }>('/hosts')
    const host = now.items.find(({ name }) => name === identity.name)
    if (host?.online === true) {
      return
    }
    if (clock.monotonic() > deadline) {
      throw HOST_NOT_ONLINE(identity.name, host?.problem ?? 'it was not added')
    }
    await clock.sleep(ASK_AGAIN_MS)
  }
}

/** The worker's own rules, for its owner to change: nothing here ever writes them again. */
function writeFirstPolicy(folder: string, { allowPrivate }: TogetherOptions): void {
  if (allowPrivate.length > 0 && !existsSync(join(folder, 'policy.yaml'))) {
    writePrivateFile(folder, 'policy.yaml', `allowPrivate: ${JSON.stringify(allowPrivate)}\n`)
  }
}

function tokenFileIn({ folder, environment }: TogetherOptions): string {
  return environment?.FAIRLEAD_ADMIN_TOKEN_FILE ?? join(folder, 'admin-token')
}

/** How this machine itself reaches what listens on a host: one that stands for all of them cannot be connected to. */
function addressHere(host: string | undefined, port: number): string {
  const here = host === undefined || host === '0.0.0.0' ? LOOPBACK : host
  return hostAndPort(here === '::' ? '::1' : here, port)
}

function hostAndPort(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

function managerPart(options: TogetherOptions): PartOptions {
  const { folder, registry, publicUrl, listen = LOOPBACK } = options
  return {
    name: 'manager',
    data: folder,
    environment: {
      ...options.environment,
      FAIRLEAD_LISTEN: hostAndPort(listen, options.managerPort),
      FAIRLEAD_BASE_DOMAIN: options.baseDomain,
      FAIRLEAD_ADMIN_TOKEN_FILE: tokenFileIn(options),
      FAIRLEAD_ALLOW_PRIVATE: options.allowPrivate.join(','),
      ...(publicUrl === undefined ? {} : { FAIRLEAD_PUBLIC_URL: publicUrl }),
      ...(registry ? registryEnvironment(folder, registry) : {}),
    },
  }
}

function registryEnvironment(folder: string, registry: RegistryAccount): Record<string, string> {
  return {
    FAIRLEAD_REGISTRY: registry.address,
    FAIRLEAD_REGISTRY_USERNAME: registry.username,
    FAIRLEAD_REGISTRY_PASSWORD_FILE: writePrivateFile(folder, 'registry-password', registry.password),
    FAIRLEAD_REGISTRY_CA_FILE: writePrivateFile(folder, 'registry-ca.pem', registry.ca),
  }
}

function workerPart(options: TogetherOptions): PartOptions {
  const { folder, proxy, network, workerListen = LOOPBACK } = options
  return {
    name: 'worker',
    data: folder,
    environment: {
      ...options.environment,
      FAIRLEAD_WORKER_LISTEN: hostAndPort(workerListen, options.workerPort),
      FAIRLEAD_PROXY_ADMIN: proxy.adminUrl,
      FAIRLEAD_PROXY_HTTP_PORT: String(proxy.httpPort),
      FAIRLEAD_PROXY_HTTPS_PORT: String(proxy.httpsPort),
      ...(network ? { FAIRLEAD_NETWORK: network.name, FAIRLEAD_SUBNET: network.subnet } : {}),
    },
  }
}

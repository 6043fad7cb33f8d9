import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { freePort } from '#cli/demo/free-port.ts'
import { type Proxy as RunningProxy, startProxy } from '#cli/demo/proxy.ts'
import type { Hands } from '#commands/command.ts'
import type { Call } from '#exec/call.ts'
import type { CallContext } from '#exec/call-context.ts'
import { request } from '#exec/request.ts'
import { systemClock } from '#lib/clock.ts'
import { createRedactor } from '#lib/redact.ts'
import { type OpenSwitchboard, openSwitchboard } from '#worker/switchboard.ts'
import { temporaryFolder } from './temporary-folder.ts'

/** Loopback stands in for the network of routed containers: every address of it is this machine. */
const SUBNET = '127.77.0.0/24'

export interface RoutedWorld {
  readonly folder: string
  readonly proxy: RunningProxy
  readonly switchboard: OpenSwitchboard
  readonly hands: Hands
  /** Everything that a command said. */
  readonly said: string[]
  /** Port of the upstreams. */
  readonly port: number
}

/** A real Caddy, a switchboard and hands for the route commands. */
export async function startRoutedWorld(world: AsyncDisposableStack): Promise<RoutedWorld> {
  const folder = await temporaryFolder(world)
  const proxy = await startProxy({ folder: join(folder, 'proxy') })
  world.defer(proxy.close)
  const switchboard = await openSwitchboard({
    folder: join(folder, 'switchboard'),
    listen: '127.0.0.1:0',
    subnet: SUBNET,
    clock: systemClock,
  })
  world.defer(switchboard.close)
  const said: string[] = []
  return {
    folder,
    proxy,
    switchboard,
    hands: handsFor({ proxy, switchboard, said }),
    said,
    port: await freePort(),
  }
}

function handsFor({ proxy, switchboard, said }: Pick<RoutedWorld, 'proxy' | 'switchboard' | 'said'>): Hands {
  const signal = new AbortController().signal
  const say = (text: string) => said.push(text)
  return {
    id: 'test',
    perform: call => performRequest(call, { clock: systemClock, redactor: createRedactor(), say, signal }),
    say,
    signal,
    clock: systemClock,
    host: {
      name: 'box',
      workspace: '/nowhere',
      dockerSocket: '/nowhere',
      dockerHome: '/nowhere',
      network: { name: 'fairlead', subnet: SUBNET },
      proxy: {
        adminOrigin: proxy.adminUrl,
        httpPort: proxy.httpPort,
        httpsPort: proxy.httpsPort,
        resolver: switchboard.resolver,
      },
      policy: {
        mode: 'enforce',
        ports: { from: 20_000, to: 29_999, never: [] },
        allowPrivate: [],
        registries: [],
      },
      switchboard,
    },
  }
}

/** Routes need nothing else of a host. */
async function performRequest<T>(call: Call<T>, context: CallContext): Promise<T> {
  if (call.kind !== 'request') {
    throw new Error(`a ${call.kind} call is not expected`)
  }
  return request(call, context)
}

/**
 * A container's stand-in that answers `content`, and at /slow what comes only later. close() takes no new requests and
 * waits for those under way.
 */
export async function startUpstream(
  ip: string,
  port: number,
  content: string,
  later: Promise<string> = Promise.resolve(content),
): Promise<{ close(): Promise<void> }> {
  const server = createServer(async ({ url }, response) => {
    response.end(url === '/slow' ? await later : content)
  })
  return listening(server, ip, port)
}

/** Takes connections and requests, and never says a word. */
export async function startSilentUpstream(ip: string, port: number): Promise<{ close(): Promise<void> }> {
  return listening(
    createServer(() => {}),
    ip,
    port,
  )
}

async function listening(server: Server, ip: string, port: number): Promise<{ close(): Promise<void> }> {
  server.listen(port, ip)
  await once(server, 'listening')
  return {
    async close() {
      server.close()
      server.closeIdleConnections()
      const force = systemClock.after(2_000, () => server.closeAllConnections())
      await once(server, 'close')
      force.close()
    },
  }
}

/** The process whose command line names this file. */
export async function pidOfProgramWith(file: string): Promise<number> {
  for (const pid of (await readdir('/proc')).filter(name => /^\d+$/.test(name))) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    if (line.split('\0').includes(file)) {
      return Number(pid)
    }
  }
  throw new Error(`no process was started with ${file}`)
}

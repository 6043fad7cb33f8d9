import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Client } from '#cli/client.ts'
import { certificateIn } from '#cli/demo/certificate.ts'
import type { World } from '#cli/demo/world.ts'
import type { Clock } from '#lib/clock.ts'
import type { Figure } from './figure.ts'
import { processorTimeOf, pssOf } from './processes.ts'

const REPOSITORIES = 1000
const POLL_SECONDS = 60
const SETTLE_MS = 70_000
const WATCH_MS = 120_000
/** How long the server takes for an answer, as one on the other side of the net would. */
const ANSWER_MS = 20
const SENDERS = 8
/** Several: the limit for one server is below the limit for all. */
const SERVERS = ['127.0.0.1', '127.0.0.2', '127.0.0.3', '127.0.0.4']

/** P8: manager and worker look at 1,000 repositories with one app each, once a minute, on Git servers that cost them nothing. */
export async function measurePolling(
  { together, folder }: World,
  client: Client,
  clock: Clock,
): Promise<Figure[]> {
  await using servers = await startLsRefsServers(folder, clock)
  await register(client, servers)
  await clock.sleep(SETTLE_MS)
  const processes = [together.manager.pid, together.worker.pid]
  const before = await Promise.all(processes.map(processorTimeOf))
  servers.begin()
  await clock.sleep(WATCH_MS)
  const { requests, most, connections } = servers.counted()
  const after = await Promise.all(processes.map(processorTimeOf))
  const [manager = 0, worker = 0] = after.map(
    (time, index) => ((time - (before[index] ?? 0)) / WATCH_MS) * 100,
  )
  const [managerMemory = 0, workerMemory = 0] = await Promise.all(processes.map(pssOf))
  const perMinute = (requests / WATCH_MS) * 60_000
  return [
    {
      id: 'P8',
      what: `share of one core, ${REPOSITORIES} repositories polled once a minute`,
      value: manager + worker,
      unit: '%',
      target: '<= 15',
      note: [
        `manager ${manager.toFixed(1)}, worker ${worker.toFixed(1)}`,
        `${Math.round(perMinute)} looks a minute over ${connections} new connections in ${WATCH_MS / 1000} s`,
        `PSS ${Math.round(managerMemory)} + ${Math.round(workerMemory)} MiB`,
      ].join('; '),
    },
    { id: 'P8', what: 'most requests to Git servers at once', value: most, unit: '', target: '<= 16' },
  ]
}

async function register(client: Client, { url, ca }: LsRefsServers): Promise<void> {
  let next = 0
  async function send(): Promise<void> {
    for (let number = next++; number < REPOSITORIES; number = next++) {
      const name = `polled-${number}`
      const polled = { name, url: url(name, number), ca, poll_seconds: POLL_SECONDS, auto_apps: false }
      await client.send('POST', '/repositories', polled)
      await client.send('POST', '/apps', { name, repository: name })
    }
  }
  await Promise.all(Array.from({ length: SENDERS }, send))
}

interface LsRefsServers extends AsyncDisposable {
  readonly ca: string
  /** Of the repository with this number: each server has every fourth. */
  url(name: string, number: number): string
  /** Counts from now on. */
  begin(): void
  counted(): { requests: number; most: number; connections: number }
}

/** Answer every question for a branch with the same commit, as Git servers with protocol version 2 do. */
async function startLsRefsServers(folder: string, clock: Clock): Promise<LsRefsServers> {
  const { certificate, key } = await certificateIn(join(folder, 'ls-refs'), SERVERS)
  let open = 0
  let count = { requests: 0, most: 0, connections: 0 }
  const servers = await Promise.all(
    SERVERS.map(async address => {
      const server = createServer({ cert: certificate, key }, (request, response) => {
        count.requests += 1
        open += 1
        count.most = Math.max(count.most, open)
        void answer(request, response, clock, () => {
          open -= 1
        })
      })
      server.on('secureConnection', () => {
        count.connections += 1
      })
      // Longer than a minute, as public Git hosts keep connections.
      server.keepAliveTimeout = 75_000
      server.listen(0, address)
      await once(server, 'listening')
      return server
    }),
  )
  const origins = servers.map(server => {
    const { address, port } = server.address() as AddressInfo
    return `https://${address}:${port}`
  })
  return {
    ca: certificate,
    url: (name, number) => `${origins[number % origins.length]}/${name}.git`,
    begin() {
      count = { requests: 0, most: 0, connections: 0 }
    },
    counted: () => count,
    async [Symbol.asyncDispose]() {
      for (const server of servers) {
        server.close()
        server.closeAllConnections()
        await once(server, 'close')
      }
    },
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  clock: Clock,
  answered: () => void,
): Promise<void> {
  request.resume()
  await clock.sleep(ANSWER_MS)
  const line = `${'a'.repeat(40)} refs/heads/main\n`
  answered()
  response
    .writeHead(200, { 'content-type': 'application/x-git-upload-pack-result' })
    .end(`${(line.length + 4).toString(16).padStart(4, '0')}${line}0000`)
}

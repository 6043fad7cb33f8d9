import { once } from 'node:events'
import { createServer, type IncomingMessage, ServerResponse } from 'node:http'
import { FairleadError } from '#lib/errors.ts'
import { shouldUpgrade } from '#manager/api/upgrades.ts'
import { SERVER_TIMES } from '#manager/server-times.ts'
import { type Forwarder, refuse } from './forward.ts'

/** Where requests go now: to the manager that leads, or nowhere, and why. */
export type Destination = { readonly leader: string; readonly forwarder: Forwarder } | FairleadError

/** The HTTP side of a manager that stands by: all requests are for the one that leads, but for those about this one. */
export async function startStandbyServer(
  listen: { readonly host: string; readonly port: number },
  destination: () => Destination,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer({ ...SERVER_TIMES, shouldUpgradeCallback: shouldUpgrade })
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const to = destination()
    if (isAboutThis(request)) {
      answerHealth(request, response, to)
    } else if (to instanceof FairleadError) {
      refuse(response, to)
    } else {
      to.forwarder.request(request, response)
    }
  })
  server.on('upgrade', (request, socket, head) => {
    const to = destination()
    if (to instanceof FairleadError) {
      const response = new ServerResponse(request)
      response.assignSocket(socket as never)
      response.shouldKeepAlive = false
      response.on('finish', () => socket.end())
      refuse(response, to)
    } else {
      to.forwarder.upgrade(request, socket, head)
    }
  })
  server.listen(listen.port, listen.host)
  await once(server, 'listening')
  return {
    url: `http://${listen.host.includes(':') ? `[${listen.host}]` : listen.host}:${listen.port}`,
    // The address is free at once; nobody waits for what a client does with its half of a connection.
    async close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

function isAboutThis({ url = '' }: IncomingMessage): boolean {
  return ['/health', '/health/live', '/health/ready'].includes(url.split('?', 1)[0] ?? '')
}

/** It lives; it is ready when what it is asked gets somewhere. */
function answerHealth({ url = '' }: IncomingMessage, response: ServerResponse, to: Destination): void {
  const isReady = !(to instanceof FairleadError)
  const ready = { ok: isReady, standby: true, leader: isReady ? to.leader : null }
  const [status, answer] = url.startsWith('/health/ready')
    ? [isReady ? 200 : 503, ready]
    : [200, { ok: true }]
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
  })
  response.end(JSON.stringify(answer))
}

import { type IncomingMessage, type Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type WebSocket, WebSocketServer } from 'ws'
import { CONSOLE_PROTOCOL, MAX_CONSOLE_MESSAGE_BYTES } from '#contract/rest/console.ts'
import { UPGRADE_MISSING } from './errors.ts'
import type { Api } from './shape.ts'

interface Upgrade {
  readonly socket: Socket
  readonly head: Buffer
}

/** Those that wait for their route to decide about them. */
const upgrades = new WeakMap<IncomingMessage, Upgrade>()

const sockets = new WebSocketServer({
  noServer: true,
  clientTracking: false,
  maxPayload: MAX_CONSOLE_MESSAGE_BYTES,
  perMessageDeflate: false,
  handleProtocols: offered => (offered.has(CONSOLE_PROTOCOL) ? CONSOLE_PROTOCOL : false),
})

/** Any other request that asks for another protocol is answered as if it had not. */
export function shouldUpgrade(request: IncomingMessage): boolean {
  return (
    request.method === 'GET' &&
    request.headers.upgrade?.toLowerCase() === 'websocket' &&
    /^\/api\/v1\/systems\/[^/?]+\/console(?:\?|$)/.test(request.url ?? '')
  )
}

/** Requests for a WebSocket go the way of all others, so the same hooks decide about them. */
export function takeUpgrades(api: Api, server: Pick<Server, 'on'> = api.server as Server): void {
  server.on('upgrade', (request, socket: Socket, head) => {
    const response = new ServerResponse(request)
    response.shouldKeepAlive = false
    response.assignSocket(socket)
    response.on('finish', () => socket.end())
    socket.on('error', () => socket.destroy())
    upgrades.set(request, { socket, head })
    api.routing(request, response)
  })
}

/** The WebSocket that a request asks for; from then on nothing else answers it. Throws UPGRADE_MISSING. */
export async function upgraded({ raw }: FastifyRequest, reply: FastifyReply): Promise<WebSocket> {
  const upgrade = upgrades.get(raw)
  if (!upgrade || raw.headers['sec-websocket-protocol']?.includes(CONSOLE_PROTOCOL) !== true) {
    throw UPGRADE_MISSING(CONSOLE_PROTOCOL)
  }
  const { socket, head } = upgrade
  upgrades.delete(raw)
  reply.hijack()
  reply.raw.detachSocket(socket)
  const { promise, resolve, reject } = Promise.withResolvers<WebSocket>()
  socket.once('close', () => reject(new Error('the client has gone')))
  sockets.handleUpgrade(raw, socket, head, resolve)
  return await promise
}

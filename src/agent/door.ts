import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { type WebSocket, WebSocketServer } from 'ws'
import { AGENT_PATH, SUBPROTOCOL } from '#contract/agent-frames.ts'
import type { Clock } from '#lib/clock.ts'
import type { LogFields, Logger } from '#lib/logger.ts'
import type { Identity } from '#link/identity.ts'
import { MAX_RAW } from '#link/limits.ts'
import type { Pin } from '#link/public-identity.ts'
import { SERVER_SOCKET } from '#link/socket.ts'
import { serverTls } from '#link/tls.ts'
import { ADDRESS_UNUSABLE } from './errors.ts'

/** Refusals that are logged per minute. */
const NOTED = 30
const NOTED_PER_MS = 60_000

export interface DoorOptions {
  readonly identity: Identity
  readonly pins: readonly Pin[]
  readonly clock: Clock
  readonly logger: Logger
  readonly authDeadlineMs: number
  /**
   * A WebSocket from someone who holds the key of a pinned certificate, and not more is known yet. `arrivedAt`: when its
   * connection was made, in milliseconds of the monotonic clock.
   */
  readonly knock: (socket: WebSocket, tls: TLSSocket, arrivedAt: number) => void
}

/** The listening side of an agent up to the WebSocket: TLS 1.3 with pinned certificates, one path, no browsers. */
export class Door {
  readonly #options: DoorOptions
  readonly #server: Server
  readonly #upgrader = new WebSocketServer(SERVER_SOCKET)
  /** Connections that are not a WebSocket yet, oldest first, and when they came. */
  readonly #raw = new Map<Socket, number>()
  #noted = 0
  #notedSince = 0

  constructor(options: DoorOptions) {
    this.#options = options
    this.#server = createServer({
      ...serverTls(options.identity, options.pins),
      maxHeaderSize: 8192,
      headersTimeout: options.authDeadlineMs,
      requestTimeout: options.authDeadlineMs,
      keepAlive: true,
    })
    this.#server.maxRequestsPerSocket = 1
    this.#server.on('connection', socket => this.#arrived(socket))
    this.#server.on('tlsClientError', (error, socket) => this.#refusedByTls(error, socket))
    this.#server.on('request', (_request, response) => response.writeHead(426, { connection: 'close' }).end())
    this.#server.on('upgrade', (request, socket, head) => {
      const refusal = refusalOf(request)
      if (refusal || !(socket instanceof TLSSocket) || !socket.authorized) {
        this.#note('agent.upgrade-refused', { from: socketAddress(socket), reason: refusal ?? 'no TLS' })
        socket.end(`HTTP/1.1 ${refusal ?? '403 Forbidden'}\r\nconnection: close\r\n\r\n`)
        return
      }
      const arrivedAt = this.#upgraded(socket)
      this.#upgrader.handleUpgrade(request, socket, head, websocket =>
        options.knock(websocket, socket, arrivedAt),
      )
    })
  }

  /** Resolves with the port. Rejects with ADDRESS_UNUSABLE. */
  async listen({ host, port }: { host: string; port: number }): Promise<number> {
    try {
      this.#server.listen(port, host)
      await once(this.#server, 'listening')
    } catch (error) {
      const why = (error as NodeJS.ErrnoException).code ?? String(error)
      throw ADDRESS_UNUSABLE(`${host}:${port}`, why).with({ cause: error })
    }
    return (this.#server.address() as AddressInfo).port
  }

  /** From now on only these peers get in, also with a saved TLS session; open sockets stay. Throws NO_PINS. */
  admitOnly(pins: readonly Pin[]): void {
    this.#server.setSecureContext(serverTls(this.#options.identity, pins))
  }

  /** Stops listening and ends what has not become a session. */
  close(): void {
    this.#server.close()
    for (const socket of this.#raw.keys()) {
      socket.destroy()
    }
  }

  /** One deadline from the first packet to the upgrade; too many strangers push each other out, oldest first. */
  #arrived(socket: Socket): void {
    const [oldest] = this.#raw.keys()
    if (oldest && this.#raw.size >= MAX_RAW) {
      oldest.destroy()
      this.#raw.delete(oldest)
    }
    this.#raw.set(socket, this.#options.clock.monotonic())
    socket.setKeepAlive(true, 10_000)
    const deadline = this.#options.clock.after(this.#options.authDeadlineMs, () => {
      if (this.#raw.has(socket)) {
        socket.destroy()
      }
    })
    socket.on('close', () => {
      deadline.close()
      this.#raw.delete(socket)
    })
  }

  /** Gives when its connection came; of one that went meanwhile, as if it had always been there. */
  #upgraded(tls: TLSSocket): number {
    let arrivedAt = Number.NEGATIVE_INFINITY
    for (const [socket, at] of this.#raw) {
      if (socket.remotePort === tls.remotePort && socket.remoteAddress === tls.remoteAddress) {
        arrivedAt = at
        this.#raw.delete(socket)
      }
    }
    return arrivedAt
  }

  /** Strangers decide how often this happens, so it must not fill the disk. */
  #note(event: string, fields: LogFields): void {
    const now = this.#options.clock.monotonic()
    if (now - this.#notedSince > NOTED_PER_MS) {
      this.#notedSince = now
      this.#noted = 0
    }
    this.#noted++
    if (this.#noted <= NOTED) {
      this.#options.logger.warn(event, fields)
    }
  }

  #refusedByTls(error: Error & { code?: string }, socket: TLSSocket): void {
    this.#note('agent.tls-refused', {
      from: socketAddress(socket),
      code: error.code ?? error.message,
      reason: String(socket.authorizationError ?? error.message),
    })
    socket.destroy()
  }
}

function refusalOf({ url, headers }: IncomingMessage): string | undefined {
  if (headers.origin !== undefined) {
    return '403 Forbidden'
  }
  if (url !== AGENT_PATH) {
    return '404 Not Found'
  }
  return headers['sec-websocket-protocol'] === SUBPROTOCOL ? undefined : '400 Bad Request'
}

function socketAddress(socket: Duplex): string {
  return socket instanceof TLSSocket ? String(socket.remoteAddress) : 'unknown'
}

import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { TLSSocket } from 'node:tls'
import { Type } from 'typebox'
import { type WebSocket, WebSocketServer } from 'ws'
import { type Command, defineCommand } from '#commands/command.ts'
import { systemClock } from '#lib/clock.ts'
import { type LogFields, type Logger, silentLogger } from '#lib/logger.ts'
import type { Identity } from '#link/identity.ts'
import { SERVER_SOCKET } from '#link/socket.ts'
import { anIdentity, pinFor } from '#link/test-identities.ts'
import { serverTls } from '#link/tls.ts'
import { channelOf, prove } from '#link/transcript.ts'
import { AgentConnection } from './connection.ts'
import type { ConnectionOptions } from './connection-options.ts'

type Data = Record<string, unknown>

export interface Frame {
  readonly command: string
  readonly data: Data
}

/** One connection as an agent sees it. */
export interface Session {
  readonly socket: WebSocket
  send(command: string, data: Data): void
}

export interface Behaviour {
  readonly hello?: Data
  /** `forged`: the right TLS key, but not the identity key. */
  readonly welcome?: 'forged' | 'none' | Data
  /** What it says to each frame after the welcome. */
  readonly answer?: (session: Session, frame: Frame) => void
}

/** An agent by hand: it can do what no real one would. Its behaviour may change between two connections. */
export class FakeAgent {
  readonly identity: Identity
  readonly manager: Identity
  readonly heard: Frame[] = []
  readonly sessions: Session[] = []
  behaviour: Behaviour = {}
  #server: Server | undefined

  constructor(t: TestContext, identity = anIdentity(t, 'worker')) {
    this.identity = identity
    this.manager = anIdentity(t, 'manager')
    t.after(() => this.stop())
  }

  async start(port = 0): Promise<string> {
    const server = createServer(serverTls(this.identity, [pinFor(this.manager)]))
    this.#server = server
    const upgrader = new WebSocketServer({ ...SERVER_SOCKET, maxPayload: 64 * 1024 * 1024 })
    server.on('upgrade', (request, socket, head) => {
      upgrader.handleUpgrade(request, socket, head, websocket => {
        if (socket instanceof TLSSocket) {
          this.#greet(websocket, socket)
        }
      })
    })
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return `127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  stop(): void {
    for (const { socket } of this.sessions) {
      socket.terminate()
    }
    this.#server?.close()
  }

  #greet(socket: WebSocket, tls: TLSSocket): void {
    const nonce = randomBytes(32)
    const session: Session = {
      socket,
      send: (command, data) => socket.send(JSON.stringify({ command, data })),
    }
    this.sessions.push(session)
    socket.on('error', () => undefined)
    socket.on('message', data => {
      const frame = JSON.parse(String(data)) as Frame
      this.heard.push(frame)
      if (frame.command === 'auth') {
        this.#welcome(session, { auth: frame.data, nonce, tls })
      } else {
        this.behaviour.answer?.(session, frame)
      }
    })
    const { name, role } = this.identity
    const time = Math.floor(Date.now() / 1000)
    const hello = { v: [1], agent: name, role, nonce: nonce.toString('base64'), time, build: 'fake' }
    session.send('hello', { ...hello, ...this.behaviour.hello })
  }

  #welcome(session: Session, proof: { auth: Data; nonce: Buffer; tls: TLSSocket }): void {
    const { welcome = {} } = this.behaviour
    const channel = channelOf(proof.tls, 'server')
    if (welcome === 'none' || !channel) {
      return
    }
    const key = welcome === 'forged' ? generateKeyPairSync('ed25519').privateKey : this.identity.privateKey
    const transcript = {
      agent: this.identity.keyId,
      agentNonce: proof.nonce,
      managerNonce: Buffer.from(String(proof.auth.nonce), 'base64'),
      epoch: Number(proof.auth.epoch),
      versions: [1],
      channel,
    }
    session.send('welcome', {
      keyId: this.identity.keyId,
      sig: prove('agent', transcript, key),
      epochSeen: Number(proof.auth.epoch),
      limits: { frame: 1024 * 1024, inflight: 64, window: 1024 * 1024 },
      capabilities: ['test.echo'],
      running: [],
      ...(typeof welcome === 'object' ? welcome : {}),
    })
  }
}

export const TEST_COMMANDS: readonly Command[] = ['test.echo', 'test.other'].map(
  name =>
    defineCommand({
      name,
      summary: 'For tests.',
      role: 'worker',
      data: Type.Object({ text: Type.String() }),
      result: Type.Object({ text: Type.String() }, { additionalProperties: false }),
      deadlineMs: 60_000,
      run: async (_hands, { text }) => ({ text }),
    }) as unknown as Command,
)

export interface LogEntry {
  readonly event: string
  readonly fields: LogFields
}

export interface Connected {
  readonly connection: AgentConnection
  readonly log: LogEntry[]
}

/** A real connection to an agent by hand; closed after the test. */
export async function connectTo(
  t: TestContext,
  agent: FakeAgent,
  options: Partial<ConnectionOptions> = {},
): Promise<Connected> {
  const log: LogEntry[] = []
  const add = (event: string, fields: LogFields = {}) => {
    log.push({ event, fields })
  }
  const logger: Logger = { ...silentLogger, info: add, warn: add, error: add }
  const connection = new AgentConnection({
    address: options.address ?? (await agent.start()),
    identity: agent.manager,
    pin: pinFor(agent.identity),
    epoch: () => 1,
    commands: TEST_COMMANDS,
    clock: systemClock,
    logger,
    ...options,
  })
  t.after(() => connection.close())
  return { connection, log }
}

/** Resolves when the connection's state fits. */
export async function until(connection: AgentConnection, fits: () => boolean): Promise<void> {
  const found = Promise.withResolvers<void>()
  const look = () => fits() && found.resolve()
  const unwatch = connection.onChange(look)
  look()
  await found.promise
  unwatch()
}

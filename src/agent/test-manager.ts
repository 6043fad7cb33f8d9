import { randomBytes } from 'node:crypto'
import type { TestContext } from 'node:test'
import { TLSSocket } from 'node:tls'
import WebSocket from 'ws'
import { AGENT_PATH, SUBPROTOCOL } from '#contract/agent-frames.ts'
import { newId } from '#lib/id.ts'
import { idemOf } from '#link/idem.ts'
import type { Identity } from '#link/identity.ts'
import { CLIENT_SOCKET } from '#link/socket.ts'
import { clientTls } from '#link/tls.ts'
import { channelOf, prove, type Transcript } from '#link/transcript.ts'
import type { TestAgent } from './test-agent.ts'

type Data = Record<string, unknown>

export interface Received {
  readonly command: string
  readonly data: Data
}

/** What one needs to know of an agent to reach it. */
export type Reached = Pick<TestAgent, 'address' | 'identity' | 'pin' | 'manager'>

export interface ManagerOptions {
  readonly identity?: Identity
  readonly epoch?: number
  /** Certificates shown in TLS, when they are not the identity's own. */
  readonly shows?: Identity
  readonly address?: string
  readonly origin?: string
  /** Changes the auth frame after it was signed. */
  readonly tamper?: (auth: Data) => Data
}

/** A manager by hand, for what a real one never does. */
export class TestManager {
  readonly socket: WebSocket
  readonly received: Received[] = []
  /** Close code, or the error before it was open. */
  readonly closed: Promise<number | string>
  readonly #agent: Reached
  readonly #options: ManagerOptions
  readonly #waiting = new Set<() => void>()
  #tls: TLSSocket | undefined

  constructor(t: TestContext, agent: Reached, options: ManagerOptions = {}) {
    this.#agent = agent
    this.#options = options
    const { identity = agent.manager, shows = identity, address = agent.address, origin } = options
    this.socket = new WebSocket(`wss://${address}${AGENT_PATH}`, [SUBPROTOCOL], {
      ...CLIENT_SOCKET,
      ...clientTls(shows, agent.pin),
      ...(origin ? { origin } : {}),
    })
    this.socket.on('upgrade', response => {
      this.#tls = response.socket instanceof TLSSocket ? response.socket : undefined
    })
    this.socket.on('message', data => {
      this.received.push(JSON.parse(String(data)))
      this.#look()
    })
    const { promise, resolve } = Promise.withResolvers<number | string>()
    this.closed = promise
    this.socket.on('error', error => resolve((error as NodeJS.ErrnoException).code ?? error.message))
    this.socket.on('close', code => {
      resolve(code)
      this.#look()
    })
    t.after(() => this.socket.terminate())
  }

  /** The n-th frame of this command, when it is there. Rejects when the socket closes first. */
  async frame(command: string, match: (data: Data) => boolean = () => true): Promise<Data> {
    for (;;) {
      const found = this.received.find(frame => frame.command === command && match(frame.data))
      if (found) {
        return found.data
      }
      if (this.socket.readyState === WebSocket.CLOSED) {
        throw new Error(`closed (${await this.closed}) before ${command}`)
      }
      await new Promise<void>(resolve => this.#waiting.add(resolve))
    }
  }

  async authFrame(): Promise<Data> {
    const hello = await this.frame('hello')
    const { identity = this.#agent.manager, epoch = 1 } = this.#options
    const channel = this.#tls && channelOf(this.#tls, 'client')
    if (!channel) {
      throw new Error('No TLS.')
    }
    const nonce = randomBytes(32)
    const transcript: Transcript = {
      agent: this.#agent.identity.keyId,
      agentNonce: Buffer.from(String(hello.nonce), 'base64'),
      managerNonce: nonce,
      epoch,
      versions: hello.v as number[],
      channel,
    }
    const sig = prove('manager', transcript, identity.privateKey)
    return { v: 1, keyId: identity.keyId, nonce: nonce.toString('base64'), epoch, sig }
  }

  /** The whole handshake; gives the welcome. */
  async open(): Promise<Data> {
    const auth = await this.authFrame()
    this.send('auth', this.#options.tamper?.(auth) ?? auth)
    return await this.frame('welcome')
  }

  /** Close code of a handshake that does not work. */
  async refused(): Promise<number | string> {
    await this.open().catch(() => undefined)
    return await this.closed
  }

  send(command: string, data: Data): void {
    this.socket.send(JSON.stringify({ command, data }))
  }

  /** Tells a command; gives its id. */
  tell(command: string, params: unknown, envelope: Data = {}): string {
    const id = newId()
    this.send(command, { id, deadlineMs: 60_000, idem: idemOf(params), params, ...envelope })
    return String(envelope.id ?? id)
  }

  /** The result or error frame of a command. */
  async ending(id: string): Promise<Received> {
    for (;;) {
      const found = this.received.find(
        ({ command, data }) => data.id === id && (command === 'result' || command === 'error'),
      )
      if (found) {
        return found
      }
      if (this.socket.readyState === WebSocket.CLOSED) {
        throw new Error(`closed (${await this.closed}) before the end`)
      }
      await new Promise<void>(resolve => this.#waiting.add(resolve))
    }
  }

  lines(id: string): { seq: number; text: string }[] {
    return this.received
      .filter(({ command, data }) => command === 'progress' && data.id === id)
      .flatMap(({ data }) => data.lines as { seq: number; text: string }[])
  }

  #look(): void {
    for (const run of this.#waiting) {
      run()
    }
    this.#waiting.clear()
  }
}

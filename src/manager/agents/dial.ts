import { randomBytes } from 'node:crypto'
import { TLSSocket } from 'node:tls'
import WebSocket, { type RawData } from 'ws'
import { AGENT_PATH, type AgentFrame, CLOSE, PROTOCOL_VERSION, SUBPROTOCOL } from '#contract/agent-frames.ts'
import type { Clock } from '#lib/clock.ts'
import { asFairleadError, FairleadError } from '#lib/errors.ts'
import { VERSION_UNSUPPORTED } from '#link/errors.ts'
import { asAgentFrame, encodeFrame, readFrame } from '#link/frames.ts'
import type { HeartbeatOptions } from '#link/heartbeat.ts'
import type { Identity } from '#link/identity.ts'
import { AUTH_DEADLINE_MS } from '#link/limits.ts'
import { type Pin, publicKeyOf } from '#link/public-identity.ts'
import { CLIENT_SOCKET } from '#link/socket.ts'
import { certificateIdsOf, clientTls } from '#link/tls.ts'
import { channelOf, isProven, prove, type Transcript } from '#link/transcript.ts'
import { AgentLink, type LinkListener } from './agent-link.ts'
import { AGENT_REFUSED, AGENT_UNPROVEN, AGENT_UNREACHABLE } from './errors.ts'

export interface DialOptions {
  /** host:port */
  readonly address: string
  readonly identity: Identity
  readonly pin: Pin
  readonly epoch: number
  readonly clock: Clock
  /** Ends the try. */
  readonly signal: AbortSignal
  readonly heartbeat?: Omit<HeartbeatOptions, 'clock'>
  /** Hears every frame after the welcome, from the first one on. */
  readonly listener: LinkListener
}

type Hello = Extract<AgentFrame, { command: 'hello' }>['data']
type Welcome = Extract<AgentFrame, { command: 'welcome' }>['data']

/**
 * One try to reach an agent: TLS, hello, auth, welcome. A TLS client believes itself connected before the server has
 * looked at its certificate, so only the verified welcome counts. Rejects with why it did not work.
 */
export function dial(options: DialOptions): Promise<AgentLink> {
  return new Dialling(options).done
}

class Dialling {
  readonly #options: DialOptions
  readonly #socket: WebSocket
  readonly #outcome = Promise.withResolvers<AgentLink>()
  readonly #nonce = randomBytes(32)
  #tls: TLSSocket | undefined
  #expected: { readonly hello: Hello; readonly transcript: Transcript } | undefined
  #link: AgentLink | undefined
  #refusal: FairleadError | undefined

  constructor(options: DialOptions) {
    this.#options = options
    const tls = clientTls(options.identity, options.pin)
    this.#socket = new WebSocket(`wss://${options.address}${AGENT_PATH}`, [SUBPROTOCOL], {
      ...CLIENT_SOCKET,
      ...tls,
    })
    const giveUp = () => this.#socket.terminate()
    const deadline = options.clock.after(3 * AUTH_DEADLINE_MS, giveUp)
    options.signal.addEventListener('abort', giveUp, { once: true })
    const settled = () => {
      deadline.close()
      options.signal.removeEventListener('abort', giveUp)
    }
    this.#outcome.promise.then(settled, settled)
    this.#socket.on('upgrade', response => {
      this.#tls = response.socket instanceof TLSSocket ? response.socket : undefined
      this.#tls?.setKeepAlive(true, 10_000)
    })
    this.#socket.on('message', (data, isBinary) => this.#received(data, isBinary ? 'binary' : 'text'))
    this.#socket.on('error', (error: Error & { code?: string }) => {
      const why =
        error.code && !error.message.includes(error.code) ? `${error.code}: ${error.message}` : error.message
      this.#refusal ??= AGENT_UNREACHABLE(options.pin.name, why).with({ cause: error })
    })
    this.#socket.on('close', (code, reason) => {
      this.#outcome.reject(this.#refusal ?? this.#hungUp(code, reason.toString()))
    })
  }

  get done(): Promise<AgentLink> {
    return this.#outcome.promise
  }

  #received(data: RawData, kind: 'binary' | 'text'): void {
    if (this.#link) {
      this.#link.receive(data, kind)
      return
    }
    if (this.#refusal) {
      return
    }
    try {
      this.#handshake(asAgentFrame(readFrame(data, kind)))
    } catch (error) {
      this.#drop(asFairleadError(error))
    }
  }

  #handshake(frame: AgentFrame): void {
    if (frame.command === 'hello' && !this.#expected) {
      this.#prove(frame.data)
      return
    }
    if (frame.command === 'welcome' && this.#expected) {
      this.#welcomed(frame.data, this.#expected)
      return
    }
    // What an agent says instead of a welcome; the close that follows carries the code.
    this.#refusal =
      frame.command === 'error'
        ? new FairleadError(frame.data.error)
        : this.#unproven(`it said ${frame.command} before it had proven itself`)
    if (frame.command !== 'error') {
      this.#drop(this.#refusal)
    }
  }

  #prove(hello: Hello): void {
    const { identity, pin, epoch } = this.#options
    if (!hello.v.includes(PROTOCOL_VERSION)) {
      this.#drop(VERSION_UNSUPPORTED(String(PROTOCOL_VERSION), hello.v.join(', ')), CLOSE.version)
      return
    }
    const channel = this.#tls && channelOf(this.#tls, 'client')
    if (!channel || !certificateIdsOf([pin]).has(channel.serverCertificate.toString('hex'))) {
      this.#drop(this.#unproven('its certificate is not one of those pinned'))
      return
    }
    if (hello.role !== pin.role) {
      this.#drop(this.#unproven(`it is a ${hello.role}, a ${pin.role} was expected`))
      return
    }
    const transcript: Transcript = {
      agent: pin.keyId,
      agentNonce: Buffer.from(hello.nonce, 'base64'),
      managerNonce: this.#nonce,
      epoch,
      versions: hello.v,
      channel,
    }
    this.#expected = { hello, transcript }
    const nonce = this.#nonce.toString('base64')
    const sig = prove('manager', transcript, identity.privateKey)
    this.#socket.send(encodeFrame('auth', { v: PROTOCOL_VERSION, keyId: identity.keyId, nonce, epoch, sig }))
  }

  #welcomed(
    { keyId, sig, ...facts }: Welcome,
    { hello, transcript }: { hello: Hello; transcript: Transcript },
  ): void {
    const { pin, clock, heartbeat = {}, listener } = this.#options
    if (
      keyId !== pin.keyId ||
      !isProven('agent', transcript, { key: publicKeyOf(pin.spki, 'The pin'), sig })
    ) {
      this.#drop(this.#unproven('it does not hold the pinned identity key'))
      return
    }
    const skewMs = hello.time * 1000 - clock.now()
    const agent = { ...facts, build: hello.build, skewMs }
    this.#link = new AgentLink({ socket: this.#socket, name: pin.name, agent, clock, heartbeat, listener })
    this.#outcome.resolve(this.#link)
  }

  #unproven(why: string): FairleadError {
    return AGENT_UNPROVEN(this.#options.pin.name, why)
  }

  #drop(error: FairleadError, code: number = CLOSE.badProof): void {
    this.#refusal = error
    this.#socket.close(code, error.code)
    this.#options.clock.after(1_000, () => this.#socket.terminate())
  }

  #hungUp(code: number, reason: string): FairleadError {
    return AGENT_REFUSED(this.#options.pin.name, `${reason || 'without a reason'} (${code})`)
  }
}

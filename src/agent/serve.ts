import type { TLSSocket } from 'node:tls'
import type { RawData, WebSocket } from 'ws'
import { CLOSE, MAX_FRAME_BYTES } from '#contract/agent-frames.ts'
import type { ToldPolicy } from '#contract/told-policy.ts'
import type { Clock } from '#lib/clock.ts'
import { asFairleadError, toWire } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import type { VisitorPorts } from '#lib/visit-origin.ts'
import { PINS_DAMAGED } from '#link/errors.ts'
import { encodeFrame } from '#link/frames.ts'
import type { HeartbeatOptions } from '#link/heartbeat.ts'
import type { Identity } from '#link/identity.ts'
import { AUTH_DEADLINE_MS, COMMAND_WINDOW_BYTES, MAX_INFLIGHT, MAX_UNPROVEN } from '#link/limits.ts'
import type { PinFile } from '#link/pin-file.ts'
import { closeReason } from '#link/socket.ts'
import { Door } from './door.ts'
import { decideEpoch, Handshake, type Proven, Refusal } from './handshake.ts'
import type { Journal } from './journal.ts'
import type { Obey } from './obey.ts'
import { Rotation, TAKES_SUCCESSORS } from './rotation.ts'
import { Session } from './session.ts'

const GOODBYE_MS = 1_000

export interface ServeOptions {
  readonly identity: Identity
  /** Loaded: an agent without a pinned manager has no business listening. */
  readonly peers: PinFile
  readonly listen: { readonly host: string; readonly port: number }
  readonly build: string
  /** Where visitors of what runs here are let in. */
  readonly visitors?: VisitorPorts | undefined
  /** By which files are judged here. */
  readonly policy?: ToldPolicy | undefined
  readonly journal: Journal
  readonly obey: Obey
  readonly clock: Clock
  readonly logger: Logger
  readonly authDeadlineMs?: number
  readonly heartbeat?: Omit<HeartbeatOptions, 'clock'>
}

/** Lets one proven manager at a time tell this agent what to do. */
export class AgentServer {
  readonly #options: ServeOptions
  readonly #door: Door
  readonly #rotation: Rotation
  /** Upgraded, not proven yet. They never count as a session and never end one. */
  readonly #unproven = new Set<WebSocket>()
  #session: Session | undefined
  #port = 0

  private constructor(options: ServeOptions) {
    this.#options = options
    const { identity, peers, clock, logger, authDeadlineMs = AUTH_DEADLINE_MS } = options
    this.#door = new Door({
      identity,
      pins: peers.peers,
      clock,
      logger,
      authDeadlineMs,
      knock: (socket, tls, arrivedAt) => this.#knock(socket, tls, arrivedAt),
    })
    this.#rotation = new Rotation({
      identity,
      peers,
      clock,
      changed: () => this.#door.admitOnly(peers.peers),
    })
  }

  /** Starts to listen. Throws NO_PINS, or rejects when the address cannot be had. */
  static async start(options: ServeOptions): Promise<AgentServer> {
    const server = new AgentServer(options)
    server.#port = await server.#door.listen(options.listen)
    return server
  }

  get port(): number {
    return this.#port
  }

  /**
   * Counts the pin file as it is now: who is no longer in it is cut off. Throws PINS_DAMAGED with everything as it
   * was (perhaps someone is just writing it), PINS_MISSING or PINS_EMPTY with everyone cut off.
   */
  reload(): void {
    const { peers } = this.#options
    try {
      this.#door.admitOnly(peers.load())
    } catch (error) {
      if (!PINS_DAMAGED.matches(error)) {
        this.#door.close()
        this.#dismiss(CLOSE.revoked, 'revoked')
      }
      throw error
    }
    if (!peers.peers.some(({ keyId }) => keyId === this.#session?.manager.keyId)) {
      this.#dismiss(CLOSE.revoked, 'revoked')
    }
  }

  /** Hangs up, and waits a little for the manager to hear it. */
  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = this.#options.clock.after(GOODBYE_MS, resolve)
    const live = this.#session
    this.#rotation.close()
    this.#door.close()
    this.#dismiss(1001, 'stopping')
    await Promise.race([promise, live?.closed])
    timer.close()
  }

  #dismiss(code: number, reason: string): void {
    for (const socket of this.#unproven) {
      socket.close(code, reason)
    }
    this.#session?.end(code, reason)
    this.#session = undefined
  }

  #knock(socket: WebSocket, tls: TLSSocket, arrivedAt: number): void {
    socket.on('error', error => this.#options.logger.warn('agent.socket-error', { reason: error.message }))
    if (this.#unproven.size >= MAX_UNPROVEN) {
      socket.close(CLOSE.tooMany, 'too many')
      return
    }
    this.#unproven.add(socket)
    const { identity, clock, build, authDeadlineMs = AUTH_DEADLINE_MS } = this.#options
    const deadline = clock.after(authDeadlineMs, () => {
      this.#unproven.delete(socket)
      socket.close(CLOSE.authTimeout, 'auth timeout')
      // Who did not speak in time will not say goodbye in time either.
      clock.after(authDeadlineMs, () => socket.terminate())
    })
    const handshake = new Handshake(identity, tls)
    let session: Session | undefined
    let refused = false
    socket.on('message', (data, isBinary) => {
      const received = { data, kind: isBinary ? 'binary' : 'text' } as const
      if (session) {
        session.receive(data, received.kind)
        return
      }
      if (refused || !this.#unproven.has(socket)) {
        return
      }
      session = this.#admit(socket, { handshake, received, arrivedAt })
      refused = session === undefined
      if (session) {
        deadline.close()
      }
    })
    socket.on('close', () => {
      deadline.close()
      this.#unproven.delete(socket)
    })
    socket.send(encodeFrame('hello', handshake.hello({ now: clock.now(), build })))
  }

  #admit(
    socket: WebSocket,
    auth: { handshake: Handshake; received: { data: RawData; kind: 'binary' | 'text' }; arrivedAt: number },
  ) {
    const { peers, logger } = this.#options
    try {
      const proven = auth.handshake.verify(auth.received, peers.peers)
      const session = this.#open(socket, proven, auth.arrivedAt)
      this.#unproven.delete(socket)
      return session
    } catch (error) {
      const refusal = error instanceof Refusal ? error : internal(error)
      logger.warn('agent.manager-refused', { code: refusal.code, reason: refusal.message })
      if (refusal.audience === 'peer') {
        socket.send(encodeFrame('error', { error: toWire(refusal.error) }))
      }
      socket.close(refusal.code, closeReason(refusal.message))
      return undefined
    }
  }

  /** Decides by epoch, writes the epoch down, and only then welcomes. */
  #open(socket: WebSocket, { pin, epoch, sig }: Proven, arrivedAt: number): Session {
    const { journal, obey, identity, clock, logger, heartbeat = {}, visitors, policy } = this.#options
    this.#makeRoom(epoch)
    journal.raiseEpoch(epoch)
    this.#rotation.met(pin.keyId)
    const session = new Session({ socket, manager: pin, epoch, clock, logger, heartbeat })
    this.#session = session
    const obeying = obey.attach(session, arrivedAt)
    session.listen({
      frame: frame => this.#rotation.frame(session, frame) || obeying.frame(frame),
      drained: () => obeying.drained(),
      closed: () => {
        obeying.closed()
        this.#session = this.#session === session ? undefined : this.#session
        logger.info('agent.manager-gone', { manager: pin.name })
      },
    })
    session.send('welcome', {
      keyId: identity.keyId,
      sig,
      epochSeen: epoch,
      limits: { frame: MAX_FRAME_BYTES, inflight: MAX_INFLIGHT, window: COMMAND_WINDOW_BYTES },
      capabilities: [...obey.capabilities, TAKES_SUCCESSORS],
      running: obey.running(),
      ...(visitors ? { visitors } : {}),
      ...(policy ? { policy } : {}),
    })
    this.#rotation.announce(session)
    logger.info('agent.manager-connected', { manager: pin.name, epoch })
    return session
  }

  #makeRoom(epoch: number): void {
    const live = this.#session
    try {
      const todo = decideEpoch({ offered: epoch, seen: this.#options.journal.epoch(), live: live?.epoch })
      if (todo === 'take over') {
        live?.end(CLOSE.takenOver, 'taken over')
      }
    } catch (refusal) {
      // Perhaps the live one is the same manager behind a cut cable: ask it, so that the next try gets in.
      live?.probe()
      throw refusal
    }
  }
}

function internal(error: unknown): Refusal {
  return new Refusal(CLOSE.internal, asFairleadError(error), 'log')
}

import type { RawData, WebSocket } from 'ws'
import { type AGENT_FRAMES, CLOSE } from '#contract/agent-frames.ts'
import type { Clock } from '#lib/clock.ts'
import { asFairleadError, type FairleadError, toWire } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import { BAD_FRAME } from '#link/errors.ts'
import { encodeFrame, type RawFrame, readFrame } from '#link/frames.ts'
import { type Heartbeat, type HeartbeatOptions, startHeartbeat } from '#link/heartbeat.ts'
import { MAX_BUFFERED_BYTES, MAX_STRIKES } from '#link/limits.ts'
import type { Pin } from '#link/public-identity.ts'
import { closeReason } from '#link/socket.ts'

export interface SessionParts {
  readonly socket: WebSocket
  readonly manager: Pin
  readonly epoch: number
  readonly clock: Clock
  readonly logger: Logger
  readonly heartbeat: Omit<HeartbeatOptions, 'clock'>
}

/** Who listens to a session. */
export interface Listener {
  /** Throws BAD_FRAME for what no manager may send; any other error is answered and forgotten. */
  frame(frame: RawFrame): void
  /** The socket takes more again. */
  drained(): void
  closed(): void
}

/** One proven manager on one socket: open -> ended. Nothing it sends after its end is heard. */
export class Session {
  readonly manager: Pin
  readonly epoch: number
  /** Resolves when the socket is gone. */
  readonly closed: Promise<void>
  readonly #socket: WebSocket
  readonly #logger: Logger
  readonly #heartbeat: Heartbeat
  #listener: Listener | undefined
  #strikes = 0
  #blocked = false

  constructor(parts: SessionParts) {
    this.manager = parts.manager
    this.epoch = parts.epoch
    this.#socket = parts.socket
    this.#logger = parts.logger
    this.#heartbeat = startHeartbeat(parts.socket, { clock: parts.clock, ...parts.heartbeat })
    const { promise, resolve } = Promise.withResolvers<void>()
    this.closed = promise
    parts.socket.on('close', () => {
      this.#ended()
      resolve()
    })
  }

  listen(listener: Listener): void {
    this.#listener = listener
  }

  /** False while the socket holds so much unsent that more would only fill memory. */
  get writable(): boolean {
    this.#blocked ||= this.#socket.bufferedAmount > MAX_BUFFERED_BYTES
    return !this.#blocked
  }

  /** Gives the bytes sent; 0 when the session has ended. */
  send(command: keyof typeof AGENT_FRAMES, data: Readonly<Record<string, unknown>>): number {
    if (!this.#listener || this.#socket.readyState !== this.#socket.OPEN) {
      return 0
    }
    const text = encodeFrame(command, data)
    this.#socket.send(text, () => this.#sent())
    return text.length
  }

  receive(received: RawData, kind: 'binary' | 'text'): void {
    if (!this.#listener) {
      return
    }
    let id: string | undefined
    try {
      const frame = readFrame(received, kind)
      id = idOf(frame)
      this.#listener.frame(frame)
    } catch (error) {
      this.#refuse(asFairleadError(error), id)
    }
  }

  /** Is the manager still there? Ends the session if it does not answer soon. */
  probe(): void {
    this.#heartbeat.probe()
  }

  end(code: number, reason: string): void {
    this.#socket.close(code, closeReason(reason))
    this.#ended()
  }

  #refuse(error: FairleadError, id: string | undefined): void {
    this.send('error', { ...(id ? { id } : {}), error: toWire(error) })
    this.#logger.warn('agent.frame-refused', { code: error.code, reason: error.message })
    if (BAD_FRAME.matches(error) && ++this.#strikes >= MAX_STRIKES) {
      this.end(CLOSE.badFrame, 'too many bad frames')
    }
  }

  #sent(): void {
    if (this.#blocked && this.#socket.bufferedAmount <= MAX_BUFFERED_BYTES) {
      this.#blocked = false
      this.#listener?.drained()
    }
  }

  #ended(): void {
    const listener = this.#listener
    this.#listener = undefined
    this.#heartbeat.close()
    listener?.closed()
  }
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

function idOf({ data }: RawFrame): string | undefined {
  return typeof data.id === 'string' && UUID.test(data.id) ? data.id : undefined
}

import type { RawData, WebSocket } from 'ws'
import { type AgentFrame, MAX_FRAME_BYTES } from '#contract/agent-frames.ts'
import type { Clock } from '#lib/clock.ts'
import { asFairleadError, type FairleadError } from '#lib/errors.ts'
import { asAgentFrame, encodeFrame, readFrame } from '#link/frames.ts'
import { type HeartbeatOptions, startHeartbeat } from '#link/heartbeat.ts'
import { closeReason } from '#link/socket.ts'
import { AGENT_REFUSED } from './errors.ts'

/** What an agent said of itself when it was proven. */
export interface AgentFacts
  extends Omit<Extract<AgentFrame, { command: 'welcome' }>['data'], 'keyId' | 'sig'> {
  readonly build: string
  /** Its clock minus ours. */
  readonly skewMs: number
}

/** Everything an agent sends is a stranger's text until it is checked: `odd` hears what was not a frame. */
export interface LinkListener {
  frame(link: AgentLink, frame: AgentFrame, bytes: number): void
  odd(link: AgentLink, error: FairleadError): void
}

export interface LinkParts {
  readonly socket: WebSocket
  readonly name: string
  readonly agent: AgentFacts
  readonly clock: Clock
  readonly heartbeat: Omit<HeartbeatOptions, 'clock'>
  readonly listener: LinkListener
}

/** One proven agent on one socket, until it closes. */
export class AgentLink {
  readonly agent: AgentFacts
  /** Resolves with why it ended. */
  readonly closed: Promise<FairleadError>
  readonly #socket: WebSocket
  readonly #listener: LinkListener
  #why: FairleadError | undefined
  readonly #closing = new Set<() => void>()
  #isClosed = false

  constructor({ socket, name, agent, clock, heartbeat, listener }: LinkParts) {
    this.agent = agent
    this.#socket = socket
    this.#listener = listener
    const beat = startHeartbeat(socket, { clock, ...heartbeat })
    const { promise, resolve } = Promise.withResolvers<FairleadError>()
    this.closed = promise
    socket.on('close', (code, reason) => {
      beat.close()
      const said = `${reason.toString() || 'the connection was cut'} (${code})`
      resolve(this.#why ?? AGENT_REFUSED(name, said))
      // After those who wait for that: who looks for the next link then does not find this one again.
      queueMicrotask(() => {
        this.#isClosed = true
        for (const act of this.#closing) {
          act()
        }
      })
    })
  }

  /**
   * Acts once when it has ended, at once when it has already. Gives what forgets that: a command does not wait for
   * `closed`, which would keep what it answered for as long as the agent stays connected.
   */
  whenClosed(act: () => void): () => void {
    if (this.#isClosed) {
      queueMicrotask(act)
    }
    this.#closing.add(act)
    return () => void this.#closing.delete(act)
  }

  get open(): boolean {
    return this.#socket.readyState === this.#socket.OPEN && this.#why === undefined
  }

  /** False when the link has ended or the frame is larger than any agent takes. */
  send(command: string, data: Readonly<Record<string, unknown>>): boolean {
    return this.sendText(encodeFrame(command, data))
  }

  sendText(frame: string): boolean {
    if (!this.open || Buffer.byteLength(frame) > MAX_FRAME_BYTES) {
      return false
    }
    this.#socket.send(frame)
    return true
  }

  receive(data: RawData, kind: 'binary' | 'text'): void {
    if (!this.open) {
      return
    }
    let frame: AgentFrame
    try {
      frame = asAgentFrame(readFrame(data, kind))
    } catch (error) {
      this.#listener.odd(this, asFairleadError(error))
      return
    }
    this.#listener.frame(this, frame, Buffer.isBuffer(data) ? data.length : 0)
  }

  /** Stops listening at once; the socket is torn down if the agent does not say goodbye. */
  close(code: number, why: FairleadError): void {
    this.#why ??= why
    this.#socket.close(code, closeReason(why.code))
  }
}

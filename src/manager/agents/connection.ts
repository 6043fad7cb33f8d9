import type { TObject } from 'typebox'
import { type AgentFrame, CLOSE } from '#contract/agent-frames.ts'
import { background } from '#lib/background.ts'
import type { Clock } from '#lib/clock.ts'
import { asFairleadError, type FairleadError } from '#lib/errors.ts'
import type { Identity } from '#link/identity.ts'
import { aboutKeys } from './about-keys.ts'
import type { AgentLink } from './agent-link.ts'
import { AgentPins } from './agent-pins.ts'
import type { AgentState, ConnectionOptions } from './connection-options.ts'
import { dialAs } from './dial-as.ts'
import { dialKnown } from './dial-known.ts'
import { AGENT_MISBEHAVES, AGENT_OFFLINE } from './errors.ts'
import { Followed } from './followed.ts'
import { announceNext } from './rotation.ts'

const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 30_000
/** Certificates live for months. */
const RENEW_EVERY_MS = 6 * 3600 * 1000
const SKEW_WARNING_MS = 300_000
/** Frames of an agent that make no sense, per link. */
const MAX_ODD = 100

/** Keeps one agent connected for as long as it lives: connecting <-> connected -> closed. */
export class AgentConnection {
  /** Who follows which of its commands. */
  readonly followed = new Followed()
  readonly #options: ConnectionOptions
  readonly #stop = new AbortController()
  readonly #watchers = new Set<() => void>()
  readonly #running: Promise<void>
  readonly #pins: AgentPins
  #link: AgentLink | undefined
  /** As whom this manager speaks on the link. */
  #as: Identity
  #odd = 0
  #state: AgentState

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#pins = new AgentPins(options)
    this.#as = options.identity
    this.#state = { status: 'connecting', since: options.clock.now(), attempts: 0 }
    this.#running = this.#run()
  }

  get name(): string {
    return this.#pins.current.name
  }

  /** Of the key that the agent has proven, or has to. */
  get keyId(): string {
    return this.#pins.current.keyId
  }

  knows(keyId: string): boolean {
    return this.#pins.all.some(pin => pin.keyId === keyId)
  }

  get clock(): Clock {
    return this.#options.clock
  }

  state(): AgentState {
    return this.#state
  }

  /** Calls `run` after every change of state. */
  onChange(run: () => void): () => void {
    this.#watchers.add(run)
    return () => this.#watchers.delete(run)
  }

  /** The open link, waited for at most so long. Rejects with AGENT_OFFLINE, or with the signal's reason. */
  async link({ waitMs, signal }: { waitMs: number; signal?: AbortSignal | undefined }): Promise<AgentLink> {
    signal?.throwIfAborted()
    const found = Promise.withResolvers<AgentLink>()
    const look = () => {
      if (this.#link?.open) {
        found.resolve(this.#link)
      } else if (this.#state.status === 'closed') {
        found.reject(this.#offline())
      }
    }
    const abort = () => found.reject(signal?.reason)
    const unwatch = this.onChange(look)
    const timer = this.clock.after(waitMs, () => found.reject(this.#offline()))
    signal?.addEventListener('abort', abort, { once: true })
    look()
    try {
      return await found.promise
    } finally {
      unwatch()
      timer.close()
      signal?.removeEventListener('abort', abort)
    }
  }

  /** The schema of what a command gives; undefined for a command that this manager does not know. */
  resultOf(command: string): TObject | undefined {
    return this.#options.commands.find(({ name }) => name === command)?.result
  }

  /** Notes a frame that makes no sense; too many end the link. */
  flag(link: AgentLink, why: string): void {
    this.#odd++
    if (this.#odd <= 10) {
      this.#options.logger.warn('agent.odd-frame', { agent: this.name, reason: why })
      this.#options.onOdd?.(why)
    }
    if (this.#odd >= MAX_ODD) {
      this.misbehaved(link, why)
    }
  }

  misbehaved(link: AgentLink, why: string): void {
    this.#options.logger.warn('agent.misbehaves', { agent: this.name, reason: why })
    link.close(CLOSE.badFrame, AGENT_MISBEHAVES(this.name, why))
  }

  /** Lets go of the agent; its commands go on. */
  async close(): Promise<void> {
    this.#stop.abort()
    this.#link?.close(1000, AGENT_OFFLINE(this.name, 'this manager closed the connection'))
    this.#change({ status: 'closed' })
    await this.#running
  }

  async #run(): Promise<void> {
    const { clock, logger } = this.#options
    const { signal } = this.#stop
    let failures = 0
    while (!signal.aborted) {
      const error = await this.#stay()
      if (signal.aborted) {
        return
      }
      failures = this.#state.status === 'connected' ? 1 : failures + 1
      this.#change({ status: 'connecting', lastError: error, attempts: failures })
      logger.warn('agent.not-connected', { agent: this.name, code: error.code, reason: error.message })
      const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures - 1, 10))
      await clock.sleep(Math.random() * longest, signal).catch(() => undefined)
    }
  }

  /** Connects and stays until it ends; gives why. */
  async #stay(): Promise<FairleadError> {
    const { identity, key, address, clock, logger, heartbeat } = this.#options
    const { signal } = this.#stop
    try {
      const epoch = await this.#options.epoch()
      const { link, identity: as } = await dialAs({ identity, key, signal }, async one => {
        one.certificates.renew()
        return await dialKnown(this.#pins, {
          ...{ address, identity: one, clock, epoch, signal },
          ...(heartbeat ? { heartbeat } : {}),
          listener: {
            frame: (from, frame, bytes) => this.#heard(from, frame, bytes),
            odd: (from, error) => this.flag(from, error.message),
          },
        })
      })
      this.#as = as
      this.#opened(link)
      logger.info('agent.connected', { agent: this.name, build: link.agent.build })
      const renewing = clock.every(RENEW_EVERY_MS, () => announceNext(as, link))
      const why = await link.closed
      renewing.close()
      return why
    } catch (error) {
      return asFairleadError(error)
    } finally {
      this.#link = undefined
    }
  }

  #opened(link: AgentLink): void {
    if (this.#stop.signal.aborted) {
      link.close(1000, AGENT_OFFLINE(this.name, 'this manager closed the connection'))
      return
    }
    const { skewMs } = link.agent
    if (Math.abs(skewMs) > SKEW_WARNING_MS) {
      this.#options.logger.warn('agent.clock-differs', {
        agent: this.name,
        seconds: Math.round(skewMs / 1000),
      })
    }
    this.#odd = 0
    this.#link = link
    this.followed.takeAbandoned().forEach(id => void link.send('cancel', { id }))
    announceNext(this.#as, link)
    this.#change({ status: 'connected', agent: link.agent, attempts: 0 })
  }

  #heard(link: AgentLink, frame: AgentFrame, bytes: number): void {
    const about = aboutKeys(link, frame, { pins: this.#pins, as: this.#as, options: this.#options })
    if (about) {
      background(about, error => this.flag(link, error.message))
      return
    }
    const id = 'id' in frame.data ? frame.data.id : undefined
    const listener = id === undefined ? undefined : this.followed.listener(id)
    if (listener) {
      listener(link, frame, bytes)
    } else if (id === undefined || !this.followed.isLate(id)) {
      this.flag(
        link,
        frame.command === 'error' ? frame.data.error.message : `${frame.command} about nothing we asked`,
      )
    }
  }

  #offline(): FairleadError {
    return AGENT_OFFLINE(this.name, this.#state.lastError?.message ?? '')
  }

  #change(change: Partial<AgentState>): void {
    const since = change.status === this.#state.status ? this.#state.since : this.clock.now()
    this.#state = { ...this.#state, since, ...change }
    for (const run of [...this.#watchers]) {
      run()
    }
  }
}

import type { TObject } from 'typebox'
import type { Command } from '#commands/command.ts'
import { type AgentFrame, CLOSE } from '#contract/agent-frames.ts'
import { background } from '#lib/background.ts'
import type { Clock } from '#lib/clock.ts'
import { asFairleadError, type FairleadError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import type { HeartbeatOptions } from '#link/heartbeat.ts'
import type { Identity } from '#link/identity.ts'
import { type CertifiedCertificate, certificateId, type Pin, withCertificate } from '#link/public-identity.ts'
import type { AgentFacts, AgentLink } from './agent-link.ts'
import { dial } from './dial.ts'
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

export interface ConnectionOptions {
  /** host:port */
  readonly address: string
  readonly identity: Identity
  readonly pin: Pin
  /** Keeps the pin with a new certificate of the agent, durably. */
  readonly savePin?: (pin: Pin) => Promise<void> | void
  /** Fencing counter: one number per start of a manager, higher than any before. */
  readonly epoch: () => number | Promise<number>
  /** The commands that may be told: their results are checked. */
  readonly commands: readonly Command[]
  readonly clock: Clock
  readonly logger: Logger
  readonly heartbeat?: Omit<HeartbeatOptions, 'clock'>
}

export interface AgentState {
  readonly status: 'connecting' | 'connected' | 'closed'
  /** ms since 1970 of the last change of status. */
  readonly since: number
  readonly agent?: AgentFacts | undefined
  /** Why it is not connected, or was not before. */
  readonly lastError?: FairleadError | undefined
  /** Tries since it was last connected. */
  readonly attempts: number
}

/** Keeps one agent connected for as long as it lives: connecting <-> connected -> closed. */
export class AgentConnection {
  /** Who follows which of its commands. */
  readonly followed = new Followed()
  readonly #options: ConnectionOptions
  readonly #stop = new AbortController()
  readonly #watchers = new Set<() => void>()
  readonly #running: Promise<void>
  #pin: Pin
  #link: AgentLink | undefined
  #odd = 0
  #state: AgentState

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#pin = options.pin
    this.#state = { status: 'connecting', since: options.clock.now(), attempts: 0 }
    this.#running = this.#run()
  }

  get name(): string {
    return this.#pin.name
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
    }
    if (this.#odd >= MAX_ODD) {
      this.misbehaved(link, why)
    }
  }

  misbehaved(link: AgentLink, why: string): void {
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
    const { identity, address, clock, logger, heartbeat } = this.#options
    try {
      identity.certificates.renew()
      const link = await dial({
        address,
        identity,
        pin: this.#pin,
        epoch: await this.#options.epoch(),
        clock,
        signal: this.#stop.signal,
        ...(heartbeat ? { heartbeat } : {}),
        listener: {
          frame: (from, frame, bytes) => this.#heard(from, frame, bytes),
          odd: (from, error) => this.flag(from, error.message),
        },
      })
      this.#opened(link)
      logger.info('agent.connected', { agent: this.name, build: link.agent.build })
      const renewing = clock.every(RENEW_EVERY_MS, () => announceNext(identity, link))
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
    announceNext(this.#options.identity, link)
    this.#change({ status: 'connected', agent: link.agent, attempts: 0 })
  }

  #heard(link: AgentLink, frame: AgentFrame, bytes: number): void {
    if (frame.command === 'rotate') {
      background(this.#learn(link, frame.data), error => this.flag(link, error.message))
      return
    }
    if (frame.command === 'rotated') {
      this.#options.identity.certificates.noteKnown(this.#pin.keyId, frame.data.certificateId)
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

  async #learn(link: AgentLink, certificate: CertifiedCertificate): Promise<void> {
    const pin = withCertificate(this.#pin, certificate)
    await this.#options.savePin?.(pin)
    this.#pin = pin
    link.send('rotated', { certificateId: certificateId(certificate.certificate) })
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

import { commandNamed } from '#commands/index.ts'
import { check } from '#lib/check.ts'
import { asFairleadError, defineError, type FairleadError } from '#lib/errors.ts'
import type { TestClock } from '#lib/test-clock.ts'
import { COMMAND_CANCELLED, COMMAND_INTERRUPTED } from '#link/errors.ts'
import type { Agents } from '#manager/agents/agents.ts'
import { AGENT_OFFLINE, COMMAND_LEFT, COMMAND_LOST } from '#manager/agents/errors.ts'
import { LEAVE } from '#manager/agents/follow-options.ts'
import type { TellOptions } from '#manager/agents/tell.ts'
import type { SimulatedEngine } from './test-engine.ts'

export const HICCUP = defineError({
  code: 'HICCUP',
  status: 503,
  retry: 'later',
  message: (command: string) => `${command} did not work this time`,
  hint: () => 'Try again.',
})

const NAME = 'local'
const WAIT_MS = 30_000
/** ms that commands take; the others take 20. */
const DURATIONS: Readonly<Record<string, number>> = {
  'repository.checkout': 300,
  'image.build': 4000,
  'container.start': 1500,
  'container.remove': 5000,
}

interface Job {
  readonly command: string
  readonly params: Readonly<Record<string, unknown>>
  readonly ended: PromiseWithResolvers<void>
  result?: unknown
  error?: FairleadError
  hasEnded: boolean
}

type Wanted = Omit<TellOptions, 'command' | 'params' | 'deadlineMs'> & Partial<TellOptions>

/**
 * A worker behind the interface that the manager speaks to: each id is carried out once, commands take their time and
 * go on whatever becomes of the manager, and the link, the worker and single commands fail when they are told to.
 */
export class SimulatedHost {
  /** How often each order of a deployment was carried out to its end, whatever id it was told under. */
  readonly effects = new Map<string, number>()
  readonly #jobs = new Map<string, Job>()
  readonly #flaws = new Set<string>()
  readonly #clock: TestClock
  readonly #engine: SimulatedEngine
  #online = true
  #changed = Promise.withResolvers<void>()

  constructor(clock: TestClock, engine: SimulatedEngine) {
    this.#clock = clock
    this.#engine = engine
  }

  get online(): boolean {
    return this.#online
  }

  /** Opens or cuts the link; what is at work goes on. */
  setOnline(online: boolean): void {
    this.#online = online
    this.#changed.resolve()
    this.#changed = Promise.withResolvers<void>()
  }

  /** Ends the worker's process and starts it again: what was at work is interrupted, before or after its effect. */
  restart(when: 'before the effect' | 'after the effect'): void {
    const online = this.#online
    this.setOnline(false)
    for (const job of this.#jobs.values()) {
      if (!job.hasEnded) {
        if (when === 'after the effect') {
          this.#perform(job)
        }
        delete job.result
        this.#end(job, COMMAND_INTERRUPTED(job.command))
      }
    }
    this.setOnline(online)
  }

  /** The next run of the command fails. */
  spoil(command: string): void {
    this.#flaws.add(command)
  }

  repair(): void {
    this.#flaws.clear()
  }

  /** What one process of the manager speaks through. After `die` nothing comes back any more. */
  connect(): { readonly agents: Agents; die(): void } {
    const life = new Life()
    const agents: Agents = {
      tell: (_, options) => this.#follow(options, life),
      resume: (_, options) => this.#follow(options, life),
      state: () => ({ status: this.#online ? 'connected' : 'connecting', since: 0, attempts: 0 }),
      refresh: async () => undefined,
      rekey: async () => 'f'.repeat(64),
      reconnect: async () => undefined,
      close: async () => life.change('closed'),
    }
    return { agents, die: () => life.change('dead') }
  }

  async #follow(wanted: Wanted, life: Life): Promise<unknown> {
    let isKnown = wanted.command === undefined
    for (;;) {
      await this.#link(wanted, life)
      if (!isKnown) {
        this.#begin(wanted)
        isKnown = true
      }
      const job = this.#jobs.get(wanted.id)
      if (!job) {
        throw COMMAND_LOST('a command')
      }
      await Promise.race([job.ended.promise, this.#changed.promise, aborted(wanted.signal), life.changed])
      await life.check()
      if (wanted.signal?.aborted && !job.hasEnded) {
        this.#stop(job, wanted.signal)
      }
      if (job.hasEnded && this.#online) {
        return await this.#tellEnding(job, wanted)
      }
    }
  }

  async #tellEnding(job: Job, { fromSeq = 0, onLines }: Wanted): Promise<unknown> {
    if (fromSeq === 0) {
      await onLines?.([{ seq: 1, at: this.#clock.now(), stream: 'info', text: `${job.command} was here` }], 0)
    }
    if (job.error) {
      throw job.error
    }
    return job.result
  }

  #stop(job: Job, signal: AbortSignal): void {
    if (signal.reason === LEAVE) {
      throw COMMAND_LEFT(job.command)
    }
    if (!this.#online) {
      throw COMMAND_CANCELLED(job.command)
    }
    this.#end(job, COMMAND_CANCELLED(job.command))
  }

  async #link({ waitMs = WAIT_MS, signal }: Wanted, life: Life): Promise<void> {
    await life.check()
    const until = this.#clock.now() + waitMs
    while (!this.#online) {
      const left = until - this.#clock.now()
      if (left <= 0) {
        throw AGENT_OFFLINE(NAME, '')
      }
      await Promise.race([this.#changed.promise, this.#clock.sleep(left), aborted(signal), life.changed])
      await life.check()
      if (signal?.aborted) {
        throw signal.reason === LEAVE ? COMMAND_LEFT('a command') : COMMAND_CANCELLED('a command')
      }
    }
  }

  #begin({ id, command = '', params }: Wanted): void {
    if (this.#jobs.has(id)) {
      return
    }
    const data = check(commandNamed(command).data, params, command)
    const job: Job = { command, params: data, ended: Promise.withResolvers(), hasEnded: false }
    this.#jobs.set(id, job)
    this.#clock.after(DURATIONS[command] ?? 20, () => {
      if (!job.hasEnded) {
        this.#perform(job)
        this.#count(job)
        this.#end(job, job.error)
      }
    })
  }

  #perform(job: Job): void {
    try {
      if (this.#flaws.delete(job.command)) {
        throw HICCUP(job.command)
      }
      const result = this.#engine.perform(job.command, job.params)
      job.result = check(commandNamed(job.command).result, result, `the result of ${job.command}`)
    } catch (error) {
      job.error = asFairleadError(error)
    }
  }

  /**
   * What is interrupted is told again, rightly; and what does not name the deployment that tells it, by another one:
   * only the start of a container does.
   */
  #count({ command, params, error }: Job): void {
    if (!error && command === 'container.start') {
      const order = `${command} ${JSON.stringify(params)}`
      this.effects.set(order, (this.effects.get(order) ?? 0) + 1)
    }
  }

  #end(job: Job, error: FairleadError | undefined): void {
    if (error) {
      job.error = error
    }
    job.hasEnded = true
    job.ended.resolve()
  }
}

/** Of one process of the manager: alive, then closed or dead. */
class Life {
  #state: 'alive' | 'closed' | 'dead' = 'alive'
  readonly #changed = Promise.withResolvers<void>()

  get changed(): Promise<void> {
    return this.#changed.promise
  }

  change(to: 'closed' | 'dead'): void {
    this.#state = to
    this.#changed.resolve()
  }

  /** Throws when the links are closed; never resolves for a dead one. */
  async check(): Promise<void> {
    if (this.#state === 'closed') {
      throw AGENT_OFFLINE(NAME, 'closed')
    }
    if (this.#state === 'dead') {
      await new Promise<never>(() => undefined)
    }
  }
}

function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise(resolve => {
    if (signal?.aborted) {
      resolve()
    }
    signal?.addEventListener('abort', () => resolve(), { once: true })
  })
}

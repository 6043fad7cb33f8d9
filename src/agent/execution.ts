import type { Static, TObject } from 'typebox'
import type { Command, Hands, HostFacts } from '#commands/command.ts'
import { MAX_FRAME_BYTES } from '#contract/agent-frames.ts'
import type { Perform } from '#exec/call.ts'
import { shown } from '#exec/shown.ts'
import { check } from '#lib/check.ts'
import type { Clock } from '#lib/clock.ts'
import { asFairleadError, type FairleadError } from '#lib/errors.ts'
import { failpoint } from '#lib/failpoint.ts'
import { createRedactor, type Redactor } from '#lib/redact.ts'
import { COMMAND_CANCELLED, COMMAND_INTERRUPTED, COMMAND_TIMED_OUT } from '#link/errors.ts'
import { MAX_LINE_CHARACTERS } from '#link/limits.ts'
import { parseStrict } from '#link/strict-json.ts'
import type { CommandLog } from './command-log.ts'
import { BAD_RESULT } from './errors.ts'
import type { Ending } from './journal.ts'
import type { Locks } from './locks.ts'
import { redactDeep, redactError } from './redact-deep.ts'
import { secretsIn } from './secrets.ts'

/** Room for the frame around a result. */
const MAX_RESULT_BYTES = MAX_FRAME_BYTES - 4096

export interface PerformParts {
  readonly clock: Clock
  readonly say: Hands['say']
  readonly signal: AbortSignal
  readonly redactor: Redactor
}

export interface ExecutionParts {
  readonly clock: Clock
  readonly host: HostFacts
  readonly locks: Locks
  readonly createPerform: (parts: PerformParts) => Perform
  /** After a cancel or deadline a command has this long to end before it is reported as ended anyway. */
  readonly graceMs: number
}

export interface Order {
  readonly command: Command
  readonly params: Static<TObject>
  readonly deadlineMs: number
  readonly log: CommandLog
}

/** One command at work: its deadline, its end, and what may leave the host of it. */
export class Execution {
  readonly log: CommandLog
  readonly name: string
  readonly #parts: ExecutionParts
  readonly #order: Order
  readonly #stop = new AbortController()
  readonly #redactor: Redactor

  constructor(parts: ExecutionParts, order: Order) {
    this.log = order.log
    this.name = order.command.name
    this.#parts = parts
    this.#order = order
    this.#redactor = createRedactor(secretsIn(order.command.data, order.params))
  }

  /** Does the work. Never throws: how it ended is the result. */
  async run(): Promise<Ending> {
    const { deadlineMs } = this.#order
    const deadline = this.#parts.clock.after(deadlineMs, () =>
      this.#stop.abort(COMMAND_TIMED_OUT(this.name, Math.round(deadlineMs / 1000))),
    )
    try {
      return await Promise.race([this.#overdue(), this.#work()])
    } finally {
      deadline.close()
    }
  }

  cancel(): void {
    this.#stop.abort(COMMAND_CANCELLED(this.name))
  }

  /** The agent is going away. */
  interrupt(): void {
    this.#stop.abort(COMMAND_INTERRUPTED(this.name))
  }

  async #work(): Promise<Ending> {
    const { command, params } = this.#order
    try {
      const task = { run: () => command.run(this.#hands(), params), signal: this.#stop.signal }
      const key = command.lock?.(params)
      const result = key === undefined ? await task.run() : await this.#parts.locks.run(key, task)
      return { state: 'succeeded', result: this.#checked(result), seq: this.log.seq }
    } catch (error) {
      return this.#failed(error)
    }
  }

  /** Gives up waiting for a command that ignores its end; whoever waits for its lock still waits for its real end. */
  #overdue(): Promise<Ending> {
    const { signal } = this.#stop
    const late = Promise.withResolvers<Ending>()
    const giveUp = () => late.resolve(this.#failed(signal.reason))
    signal.addEventListener('abort', () => this.#parts.clock.after(this.#parts.graceMs, giveUp), {
      once: true,
    })
    return late.promise
  }

  #hands(): Hands {
    const { clock, host, createPerform } = this.#parts
    const { signal } = this.#stop
    const say: Hands['say'] = (text, stream = 'info') => this.#say(text, stream)
    const performUntil = (until: AbortSignal) =>
      this.#stoppable(createPerform({ clock, say, signal: until, redactor: this.#redactor }))
    return { perform: performUntil(signal), performUntil, say, signal, clock, host }
  }

  #stoppable(perform: Perform): Perform {
    return async call => {
      const result = await perform(call)
      failpoint('worker', this.name, 'after-call', shown(call))
      return result
    }
  }

  /** Redacts before it cuts: half a secret could not be found any more. */
  #say(text: string, stream: 'stdout' | 'stderr' | 'info'): void {
    for (const line of this.#redactor.text(text).split('\n')) {
      for (let at = 0; at === 0 || at < line.length; at += MAX_LINE_CHARACTERS) {
        this.log.append(stream, line.slice(at, at + MAX_LINE_CHARACTERS))
      }
    }
  }

  #checked(result: unknown): string {
    const { command } = this.#order
    const what = `The command ${command.name}`
    const text = JSON.stringify(redactDeep(check(command.result, result, what, BAD_RESULT), this.#redactor))
    if (Buffer.byteLength(text) > MAX_RESULT_BYTES) {
      throw BAD_RESULT(what, `it is larger than ${MAX_RESULT_BYTES} bytes`)
    }
    // The manager refuses a frame that is nested too deeply, which would look like a lost result.
    parseStrict(`[[${text}]]`, what)
    return text
  }

  #failed(error: unknown): Ending {
    const { signal } = this.#stop
    const own = signal.aborted ? signal.reason : error
    const reported = redactError(asFairleadError(own), this.#redactor)
    return { state: stateOf(reported), error: reported, seq: this.log.seq }
  }
}

function stateOf(error: FairleadError): Exclude<Ending['state'], 'succeeded'> {
  if (COMMAND_CANCELLED.matches(error)) {
    return 'cancelled'
  }
  return COMMAND_INTERRUPTED.matches(error) ? 'interrupted' : 'failed'
}

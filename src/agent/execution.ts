import type { Static, TObject } from 'typebox'
import type { Command, Hands, HostFacts } from '#commands/command.ts'
import { hostOn } from '#commands/engine.ts'
import { MAX_FRAME_BYTES } from '#contract/agent-frames.ts'
import type { Perform } from '#exec/call.ts'
import type { Outliving, OutlivingProgram } from '#exec/outliving.ts'
import type { Ended } from '#exec/program-outcome.ts'
import { shown } from '#exec/shown.ts'
import { check } from '#lib/check.ts'
import type { Clock } from '#lib/clock.ts'
import { asFairleadError } from '#lib/errors.ts'
import { failpoint } from '#lib/failpoint.ts'
import { createRedactor, type Redactor } from '#lib/redact.ts'
import { COMMAND_CANCELLED, COMMAND_INTERRUPTED, COMMAND_TIMED_OUT } from '#link/errors.ts'
import { MAX_LINE_CHARACTERS } from '#link/limits.ts'
import { parseStrict } from '#link/strict-json.ts'
import type { CommandLog } from './command-log.ts'
import { Continuation } from './continuation.ts'
import { endStateOf } from './end-state.ts'
import { BAD_RESULT } from './errors.ts'
import type { Ending, Orphan } from './journal.ts'
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
  readonly outliving?: Outliving
}

/** Waits for the end of a program that an earlier agent began; the signal ends it. Undefined: nobody knows how it ended. */
export type TakeUp = (program: OutlivingProgram, parts: PerformParts) => Promise<Ended | undefined>

export interface ExecutionParts {
  readonly clock: Clock
  readonly host: HostFacts
  readonly locks: Locks
  readonly createPerform: (parts: PerformParts) => Perform
  readonly takeUp: TakeUp
  /** Writes down what a later agent needs to go on with the command. */
  readonly note: (id: string, orphan: Orphan) => void
  /** After a cancel or deadline a command has this long to end before it is reported as ended anyway. */
  readonly graceMs: number
}

export interface Order {
  readonly id: string
  readonly command: Command
  /** Undefined for one that an earlier agent began: its data comes when it is told again. */
  readonly params?: Static<TObject>
  readonly engine?: Told['engine']
  readonly owner?: Told['owner']
  readonly talk?: Hands['talk'] | undefined
  readonly arrivedAt?: Hands['arrivedAt'] | undefined
  readonly deadlineMs: number
  readonly log: CommandLog
  /** What an earlier agent left of it. */
  readonly orphan?: Orphan
}

type Told = NonNullable<Parameters<typeof hostOn>[1]> & { readonly params: Static<TObject> }

/**
 * One command at work: its deadline, its end, and what may leave the host of it. One that an earlier agent began waits
 * for its data, then for the program that was left, and is then done again from its start: it finds what the program has
 * done, and when it comes to that call it is given how it ended.
 */
export class Execution {
  readonly log: CommandLog
  readonly name: string
  readonly #parts: ExecutionParts
  readonly #order: Order
  readonly #stop = new AbortController()
  readonly #redactor: Redactor = createRedactor()
  readonly #data = Promise.withResolvers<Told | undefined>()
  readonly #deadlineAt: number
  #isOrphaned: boolean
  #continuation: Continuation | undefined

  constructor(parts: ExecutionParts, order: Order) {
    this.log = order.log
    this.name = order.command.name
    this.#parts = parts
    this.#order = order
    this.#deadlineAt = order.orphan?.deadlineAt ?? parts.clock.now() + order.deadlineMs
    this.#isOrphaned = order.params === undefined
    if (order.params) {
      this.give(order.params, order)
    }
    this.#stop.signal.addEventListener('abort', () => this.#data.resolve(undefined), { once: true })
  }

  /** It waits for its data. */
  get isOrphaned(): boolean {
    return this.#isOrphaned
  }

  /** The data of the command: what is said from now on is free of its secrets. */
  give(params: Static<TObject>, { engine, owner }: Omit<Told, 'params'> = {}): void {
    this.#isOrphaned = false
    this.#redactor.add(secretsIn(this.#order.command.data, params))
    this.#data.resolve({ params, engine, owner })
  }

  /** Does the work. Never throws: how it ended is the result. */
  async run(): Promise<Ending> {
    const { deadlineMs } = this.#order
    const leftMs = Math.min(deadlineMs, Math.max(0, this.#deadlineAt - this.#parts.clock.now()))
    const deadline = this.#parts.clock.after(leftMs, () =>
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
    try {
      const task = { run: () => this.#do(), signal: this.#stop.signal }
      const key = this.#lock
      const result = key === undefined ? await task.run() : await this.#parts.locks.run(key, task)
      return { state: 'succeeded', result: this.#checked(result), seq: this.log.seq }
    } catch (error) {
      return this.#failed(error)
    }
  }

  get #lock(): string | undefined {
    const { command, params, orphan } = this.#order
    return params ? command.lock?.(params) : orphan?.lock
  }

  async #do(): Promise<unknown> {
    const { command, orphan } = this.#order
    const told = await this.#data.promise
    if (told && command.hides) {
      this.#redactor.add(await command.hides(this.#hands(told), told.params))
    }
    if (orphan) {
      await this.#waitFor(orphan.program, told ? 'shown' : 'hidden')
    }
    return await command.run(this.#hands(told), told?.params ?? {}).finally(() => this.#order.talk?.destroy())
  }

  /** Also when it is to be ended: this ends it. */
  async #waitFor(program: OutlivingProgram, output: 'shown' | 'hidden'): Promise<void> {
    const { clock, takeUp } = this.#parts
    const { signal } = this.#stop
    // Without the data nobody knows what has to be kept out of it.
    const say: Hands['say'] = (text, stream = 'info') => output === 'shown' && this.#say(text, stream)
    this.#continuation = new Continuation(this.log)
    const ended = await takeUp(program, { clock, say, signal, redactor: this.#redactor })
    signal.throwIfAborted()
    if (!ended) {
      throw COMMAND_INTERRUPTED(this.name)
    }
    this.#continuation.keep(program.what, ended)
  }

  #outliving(): Outliving {
    const { id, deadlineMs } = this.#order
    const lock = this.#lock
    const facts = { deadlineMs, deadlineAt: this.#deadlineAt, ...(lock === undefined ? {} : { lock }) }
    return {
      note: program => this.#parts.note(id, { program, ...facts }),
      take: what => this.#continuation?.take(what),
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

  #hands(told: Told | undefined): Hands {
    const { clock, createPerform } = this.#parts
    const { id, talk, arrivedAt, command } = this.#order
    const host = hostOn(this.#parts.host, told, command)
    const { signal } = this.#stop
    const say: Hands['say'] = (text, stream = 'info') => this.#say(text, stream)
    const parts = { clock, say, redactor: this.#redactor, outliving: this.#outliving() }
    const performUntil = (until: AbortSignal) => this.#stoppable(createPerform({ ...parts, signal: until }))
    const inTurn: Hands['inTurn'] = (key, part) => this.#parts.locks.run(key, part)
    const perform = performUntil(signal)
    return { id, perform, performUntil, inTurn, say, signal, clock, host, talk, arrivedAt }
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
        const text = line.slice(at, at + MAX_LINE_CHARACTERS)
        if (!this.#continuation?.wasSaid(stream, text)) {
          this.log.append(stream, text)
        }
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
    return { state: endStateOf(reported), error: reported, seq: this.log.seq }
  }
}

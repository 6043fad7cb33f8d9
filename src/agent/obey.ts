import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Static, TObject } from 'typebox'
import type { Command, HostFacts } from '#commands/command.ts'
import { CommandEnvelope, type CommandState } from '#contract/agent-frames.ts'
import type { Perform } from '#exec/call.ts'
import { background } from '#lib/background.ts'
import { check } from '#lib/check.ts'
import type { Clock } from '#lib/clock.ts'
import { toWire } from '#lib/errors.ts'
import { failpoint } from '#lib/failpoint.ts'
import type { Logger } from '#lib/logger.ts'
import { BAD_FRAME, COMMAND_INTERRUPTED, UNKNOWN_COMMAND_ID } from '#link/errors.ts'
import { asManagerFrame, type RawFrame } from '#link/frames.ts'
import { idemOf } from '#link/idem.ts'
import { ALIVE_EVERY_MS, MAX_INFLIGHT } from '#link/limits.ts'
import { CommandLog } from './command-log.ts'
import { AGENT_BUSY, AGENT_STOPPING, BAD_PARAMS, COMMAND_CONFLICT, FORBIDDEN_COMMAND } from './errors.ts'
import { Execution, type PerformParts } from './execution.ts'
import type { Journal, JournalRow } from './journal.ts'
import { Locks } from './locks.ts'
import type { Listener, Session } from './session.ts'
import { Telling } from './telling.ts'

const PRUNE_EVERY_MS = 3600 * 1000
const GRACE_MS = 15_000

export interface ObeyOptions {
  readonly role: 'worker' | 'guardian'
  /** All commands of the protocol, of every role. */
  readonly commands: readonly Command[]
  readonly host: HostFacts
  readonly createPerform: (parts: PerformParts) => Perform
  readonly journal: Journal
  /** Folder for the logs of commands. */
  readonly logs: string
  readonly clock: Clock
  readonly logger: Logger
  readonly aliveEveryMs?: number
  readonly graceMs?: number
}

/** Does what proven managers tell, once each, whatever becomes of the socket it was told on. */
export class Obey {
  readonly #options: ObeyOptions
  readonly #executions = new Map<string, Execution>()
  readonly #locks = new Locks()
  readonly #pruning: { close(): void }
  #stopping: Promise<void> | undefined
  readonly #atWork = new Set<Promise<void>>()

  constructor(options: ObeyOptions) {
    this.#options = options
    this.#prune()
    this.#pruning = options.clock.every(PRUNE_EVERY_MS, () => this.#prune())
  }

  /** Names of the commands that this agent does. */
  get capabilities(): string[] {
    return this.#options.commands.filter(({ role }) => role === this.#options.role).map(({ name }) => name)
  }

  /** Commands whose end the manager does not know yet. */
  running(): { id: string; seq: number; state: CommandState }[] {
    return this.#options.journal
      .unsettled()
      .map(({ id, seq, state }) => ({ id, seq: this.#executions.get(id)?.log.seq ?? seq, state }))
  }

  /** Listens to a session from now on. */
  attach(session: Session): Listener {
    const { clock, logger, aliveEveryMs = ALIVE_EVERY_MS } = this.#options
    const telling = new Telling({
      session,
      logger,
      logOf: id => this.#logOf(id),
      endOf: id => this.#endOf(id),
    })
    const alive = clock.every(aliveEveryMs, () => telling.sayAlive())
    return {
      frame: frame => this.#obey(telling, frame),
      drained: () => telling.wake(),
      closed: () => {
        alive.close()
        telling.close()
      },
    }
  }

  /** Ends what is at work as interrupted, and waits for it. */
  async close(): Promise<void> {
    this.#pruning.close()
    this.#stopping ??= this.#stop()
    await this.#stopping
  }

  async #stop(): Promise<void> {
    for (const execution of this.#executions.values()) {
      execution.interrupt()
    }
    await Promise.allSettled(this.#atWork)
  }

  #obey(telling: Telling, frame: RawFrame): void {
    const known = asManagerFrame(frame)
    if (!known) {
      this.#told(telling, frame)
      return
    }
    const { command, data } = known
    switch (command) {
      case 'ack':
        telling.arrived(data.id, data.seq)
        if (!telling.tells(data.id)) {
          this.#settle(data.id, data.seq)
        }
        return
      case 'cancel':
        this.#executions.get(data.id)?.cancel()
        return
      case 'leave':
        telling.leave(data.id)
        return
      case 'resume':
        telling.tell(this.#known(data.id), data.fromSeq)
        return
      default:
        throw BAD_FRAME('The frame', `${command} is not expected now`)
    }
  }

  #told(telling: Telling, frame: RawFrame): void {
    const command = this.#options.commands.find(({ name }) => name === frame.command)
    if (!command) {
      throw BAD_FRAME('The frame', `this agent knows no command ${JSON.stringify(frame.command)}`)
    }
    if (command.role !== this.#options.role) {
      throw FORBIDDEN_COMMAND(command.name, this.#options.role)
    }
    const envelope = check(CommandEnvelope, frame.data, `The command ${command.name}`, BAD_FRAME)
    const params = check(command.data, envelope.params, `The command ${command.name}`, BAD_PARAMS)
    if (idemOf(envelope.params) !== envelope.idem) {
      throw BAD_FRAME(`The command ${command.name}`, 'idem is not the hash of params')
    }
    const row = this.#options.journal.find(envelope.id)
    if (row && (row.idem !== envelope.idem || row.name !== command.name)) {
      throw COMMAND_CONFLICT(envelope.id)
    }
    if (!row) {
      this.#begin(envelope, command, params)
    }
    telling.tell(row ?? this.#known(envelope.id), 0)
  }

  #begin({ id, idem, deadlineMs }: CommandEnvelope, command: Command, params: Static<TObject>): void {
    const { journal, clock, logger } = this.#options
    if (this.#stopping) {
      throw AGENT_STOPPING()
    }
    if (this.#executions.size >= MAX_INFLIGHT) {
      throw AGENT_BUSY(MAX_INFLIGHT)
    }
    failpoint('worker', command.name, 'before-row')
    journal.begin({ id, name: command.name, idem, looksOnly: command.looksOnly === true })
    failpoint('worker', command.name, 'after-row')
    const log = CommandLog.create(join(this.#options.logs, id), clock)
    const parts = { ...this.#options, locks: this.#locks, graceMs: this.#options.graceMs ?? GRACE_MS }
    const execution = new Execution(parts, { command, params, deadlineMs, log })
    this.#executions.set(id, execution)
    logger.info('command.started', { command: command.name, id })
    const work = this.#execute(id, execution)
    this.#atWork.add(work)
    background(
      work.finally(() => this.#atWork.delete(work)),
      error => logger.error('command.unrecorded', { command: command.name, id, reason: error.message }),
    )
  }

  async #execute(id: string, execution: Execution): Promise<void> {
    const { journal, clock, logger } = this.#options
    const started = clock.monotonic()
    const ending = await execution.run()
    failpoint('worker', execution.name, 'after-effect')
    execution.log.flush()
    try {
      journal.end(id, ending)
    } finally {
      this.#executions.delete(id)
      // Only now: whoever follows the log asks the journal for the end when the log has ended.
      execution.log.end()
    }
    const duration = Math.round(clock.monotonic() - started)
    logger.info('command.ended', {
      command: execution.name,
      id,
      ok: ending.state === 'succeeded',
      duration_ms: duration,
    })
  }

  #known(id: string): JournalRow {
    const row = this.#options.journal.find(id)
    if (!row) {
      throw UNKNOWN_COMMAND_ID(id)
    }
    return row
  }

  #logOf(id: string): CommandLog {
    return this.#executions.get(id)?.log ?? CommandLog.open(join(this.#options.logs, id))
  }

  /** A command that ended without its end getting into the journal (a full disk) counts as interrupted. */
  #endOf(id: string): JournalRow | undefined {
    const row = this.#options.journal.find(id)
    if (row?.state !== 'running') {
      return row
    }
    return { ...row, state: 'interrupted', error: JSON.stringify(toWire(COMMAND_INTERRUPTED(row.name))) }
  }

  /** A command that has ended and whose lines are all stored needs no log any more. */
  #settle(id: string, seq: number): void {
    const row = this.#options.journal.find(id)
    if (row && row.state !== 'running' && seq >= row.seq) {
      this.#options.journal.settle(id)
      // Most commands say nothing and have no log. How much an interrupted one said is not in its row.
      if (row.seq > 0 || row.state === 'interrupted') {
        this.#removeLog(id)
      }
    }
  }

  #prune(): void {
    for (const id of this.#options.journal.prune()) {
      this.#removeLog(id)
    }
  }

  #removeLog(id: string): void {
    rmSync(join(this.#options.logs, id), { recursive: true, force: true })
  }
}

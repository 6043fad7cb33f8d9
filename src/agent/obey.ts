import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { CommandEnvelope, type CommandState } from '#contract/agent-frames.ts'
import { check } from '#lib/check.ts'
import { toWire } from '#lib/errors.ts'
import { BAD_FRAME, COMMAND_INTERRUPTED, UNKNOWN_COMMAND_ID } from '#link/errors.ts'
import { asManagerFrame, type RawFrame } from '#link/frames.ts'
import { idemOf } from '#link/idem.ts'
import { ALIVE_EVERY_MS } from '#link/limits.ts'
import { CommandLog } from './command-log.ts'
import { BAD_PARAMS, COMMAND_CONFLICT, FORBIDDEN_COMMAND } from './errors.ts'
import { Executions, type ExecutionsOptions } from './executions.ts'
import type { JournalRow } from './journal.ts'
import type { Listener, Session } from './session.ts'
import { Talks } from './talks.ts'
import { Telling } from './telling.ts'

const PRUNE_EVERY_MS = 3600 * 1000

export interface ObeyOptions extends ExecutionsOptions {
  readonly role: 'worker' | 'guardian'
  readonly aliveEveryMs?: number
}

/** What belongs to one session. */
interface Heard {
  readonly telling: Telling
  readonly talks: Talks
  readonly arrivedAt: number
}

/** Does what proven managers tell, once each, whatever becomes of the socket it was told on. */
export class Obey {
  readonly #options: ObeyOptions
  readonly #executions: Executions
  readonly #pruning: { close(): void }

  constructor(options: ObeyOptions) {
    this.#options = options
    this.#executions = new Executions(options)
    this.#prune()
    this.#pruning = options.clock.every(PRUNE_EVERY_MS, () => this.#prune())
  }

  /** Names of the commands that this agent does. */
  get capabilities(): string[] {
    return this.#options.commands.filter(({ role }) => role === this.#options.role).map(({ name }) => name)
  }

  /** Commands whose end the manager does not know yet. */
  running(): { id: string; seq: number; state: CommandState }[] {
    return this.#options.journal.unsettled().map(row => ({
      id: row.id,
      seq: this.#executions.find(row.id)?.log.seq ?? row.seq,
      state: this.#stateOf(row),
    }))
  }

  /** Listens to a session from now on. `arrivedAt`: when its connection was made, of the monotonic clock. */
  attach(session: Session, arrivedAt: number): Listener {
    const { clock, logger, aliveEveryMs = ALIVE_EVERY_MS } = this.#options
    const telling = new Telling({
      session,
      logger,
      logOf: id => this.#logOf(id),
      endOf: id => this.#endOf(id),
    })
    const alive = clock.every(aliveEveryMs, () => telling.sayAlive())
    const talks = new Talks(session)
    return {
      frame: frame => this.#obey({ telling, talks, arrivedAt }, frame),
      drained: () => telling.wake(),
      closed: () => {
        alive.close()
        telling.close()
        talks.close()
      },
    }
  }

  /** Ends what is at work as interrupted, and waits for it. */
  async close(): Promise<void> {
    this.#pruning.close()
    await this.#executions.close()
  }

  #obey(heard: Heard, frame: RawFrame): void {
    const known = asManagerFrame(frame)
    if (!known) {
      this.#told(heard, frame)
      return
    }
    const { telling, talks } = heard
    const { command, data } = known
    switch (command) {
      case 'ack':
        telling.arrived(data.id, data.seq)
        if (!telling.tells(data.id)) {
          this.#settle(data.id, data.seq)
        }
        return
      case 'cancel':
        this.#executions.find(data.id)?.cancel()
        return
      case 'leave':
        telling.leave(data.id)
        return
      case 'resume':
        telling.tell(this.#known(data.id), data.fromSeq)
        return
      case 'talk':
        talks.find(data.id)?.arrive(data.data)
        return
      case 'heard':
        talks.find(data.id)?.giveRoom(data.bytes)
        return
      case 'resize':
        talks.find(data.id)?.emit('size', { columns: data.columns, rows: data.rows })
        return
      default:
        throw BAD_FRAME('The frame', `${command} is not expected now`)
    }
  }

  #told({ telling, talks, arrivedAt }: Heard, frame: RawFrame): void {
    const command = this.#options.commands.find(({ name }) => name === frame.command)
    if (!command) {
      throw BAD_FRAME('The frame', `this agent knows no command ${JSON.stringify(frame.command)}`)
    }
    if (command.role !== this.#options.role) {
      throw FORBIDDEN_COMMAND(command.name, this.#options.role)
    }
    const envelope = check(CommandEnvelope, frame.data, `The command ${command.name}`, BAD_FRAME)
    const params = check(command.data, envelope.params, `The command ${command.name}`, BAD_PARAMS)
    if (idemOf(envelope.params, envelope.engine) !== envelope.idem) {
      throw BAD_FRAME(`The command ${command.name}`, 'idem is not the hash of params and engine')
    }
    const row = this.#options.journal.find(envelope.id)
    const orphan = this.#executions.orphaned(envelope.id)
    const isSame = row === undefined || (row.idem === envelope.idem && row.name === command.name)
    if (!isSame && !orphan) {
      throw COMMAND_CONFLICT(envelope.id)
    }
    if (!row) {
      const talk = command.talks ? talks.open(envelope.id) : undefined
      this.#executions.begin(envelope, { command, params, talk, arrivedAt })
    }
    if (isSame) {
      orphan?.give(params, envelope)
    } else {
      // The manager has other data by now: it can only look at the host and begin anew.
      orphan?.interrupt()
    }
    if (!orphan || !telling.tells(envelope.id)) {
      telling.tell(row ?? this.#known(envelope.id), 0)
    }
  }

  #known(id: string): JournalRow {
    const row = this.#options.journal.find(id)
    if (!row) {
      throw UNKNOWN_COMMAND_ID(id)
    }
    return { ...row, state: this.#stateOf(row) }
  }

  #stateOf({ id, state }: Pick<JournalRow, 'id' | 'state'>): CommandState {
    return this.#executions.orphaned(id) ? 'orphaned' : state
  }

  #logOf(id: string): CommandLog {
    return this.#executions.find(id)?.log ?? CommandLog.open(join(this.#options.logs, id))
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

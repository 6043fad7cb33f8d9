import { join } from 'node:path'
import type { Static, TObject } from 'typebox'
import type { Command } from '#commands/command.ts'
import type { CommandEnvelope } from '#contract/agent-frames.ts'
import { background } from '#lib/background.ts'
import { failpoint } from '#lib/failpoint.ts'
import type { Logger } from '#lib/logger.ts'
import { COMMAND_INTERRUPTED } from '#link/errors.ts'
import { MAX_INFLIGHT } from '#link/limits.ts'
import { CommandLog } from './command-log.ts'
import { AGENT_BUSY, AGENT_STOPPING } from './errors.ts'
import { Execution, type ExecutionParts, type Order } from './execution.ts'
import type { Journal, Orphan } from './journal.ts'
import { isJournalDiskError } from './journal-error.ts'
import { Locks } from './locks.ts'

const GRACE_MS = 15_000

export interface ExecutionsOptions
  extends Pick<ExecutionParts, 'clock' | 'host' | 'createPerform' | 'takeUp'> {
  /** All commands of the protocol, of every role. */
  readonly commands: readonly Command[]
  readonly journal: Journal
  /** Folder for the logs of commands. */
  readonly logs: string
  readonly logger: Logger
  readonly graceMs?: number
}

/** Status codes of what is not allowed. */
const REFUSALS = new Set([403, 422])

/** The commands at work: each from its row in the journal to its end there. */
export class Executions {
  readonly #options: ExecutionsOptions
  readonly #parts: ExecutionParts
  readonly #executions = new Map<string, Execution>()
  readonly #atWork = new Set<Promise<void>>()
  #stopping: Promise<void> | undefined

  /** Goes on with what an earlier agent has left. */
  constructor(options: ExecutionsOptions) {
    const { graceMs = GRACE_MS } = options
    const note = (id: string, orphan: Orphan) => this.#note(id, orphan)
    this.#options = options
    this.#parts = { ...options, locks: new Locks(), graceMs, note }
    for (const row of options.journal.orphans()) {
      this.#goOn(row)
    }
  }

  find(id: string): Execution | undefined {
    return this.#executions.get(id)
  }

  /** The same, when it waits for its data. */
  orphaned(id: string): Execution | undefined {
    const execution = this.find(id)
    return execution?.isOrphaned ? execution : undefined
  }

  begin(
    envelope: CommandEnvelope,
    {
      command,
      params,
      talk,
      arrivedAt,
    }: Pick<Order, 'command' | 'talk' | 'arrivedAt'> & { readonly params: Static<TObject> },
  ): void {
    const { id, idem, deadlineMs, engine, owner } = envelope
    const { journal, clock, logs } = this.#options
    if (this.#stopping) {
      throw AGENT_STOPPING()
    }
    if (this.#executions.size >= MAX_INFLIGHT) {
      throw AGENT_BUSY(MAX_INFLIGHT)
    }
    failpoint('worker', command.name, 'before-row')
    journal.begin({ id, name: command.name, idem, looksOnly: command.looksOnly === true })
    failpoint('worker', command.name, 'after-row')
    this.#start('command.started', {
      id,
      command,
      params,
      engine,
      owner,
      talk,
      arrivedAt,
      deadlineMs,
      log: CommandLog.create(join(logs, id), clock),
    })
  }

  /** Ends what is at work as interrupted, and waits for it. */
  async close(): Promise<void> {
    this.#stopping ??= this.#stop()
    await this.#stopping
  }

  async #stop(): Promise<void> {
    for (const execution of this.#executions.values()) {
      execution.interrupt()
    }
    await Promise.allSettled(this.#atWork)
  }

  #goOn({ id, name, seq, orphan }: ReturnType<Journal['orphans']>[number]): void {
    const { journal, clock, logs, commands } = this.#options
    const command = commands.find(each => each.name === name)
    if (!command) {
      journal.end(id, { state: 'interrupted', error: COMMAND_INTERRUPTED(name), seq })
      return
    }
    this.#start('command.continued', {
      id,
      command,
      orphan,
      deadlineMs: orphan.deadlineMs,
      log: CommandLog.reopen(join(logs, id), clock),
    })
  }

  #start(event: string, order: Order): void {
    const { logger } = this.#options
    const { id } = order
    const execution = new Execution(this.#parts, order)
    this.#executions.set(id, execution)
    logger.info(event, { command: execution.name, id })
    const work = this.#execute(id, execution)
    this.#atWork.add(work)
    background(
      work.finally(() => this.#atWork.delete(work)),
      error => logger.error('command.unrecorded', { command: execution.name, id, reason: error.message }),
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
    // What this host does not allow is written down here too: the manager that asked may not say so.
    if (ending.error && REFUSALS.has(ending.error.status)) {
      const { code, message: reason } = ending.error
      logger.warn('command.refused', { command: execution.name, id, code, reason })
    }
  }

  /** On a disk that cannot be written the program ends with this agent. */
  #note(id: string, orphan: Orphan): void {
    try {
      this.#options.journal.note(id, orphan)
    } catch (error) {
      if (!isJournalDiskError(error)) {
        throw error
      }
      this.#options.logger.warn('command.not-noted', { id, reason: error.message })
    }
  }
}

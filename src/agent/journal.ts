import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { CommandState } from '#contract/agent-frames.ts'
import { canTakeUp, type OutlivingProgram } from '#exec/outliving.ts'
import type { Clock } from '#lib/clock.ts'
import { type FairleadError, toWire } from '#lib/errors.ts'
import { COMMAND_INTERRUPTED } from '#link/errors.ts'
import { isJournalDiskError, journalError } from './journal-error.ts'
import { openJournalFile } from './journal-file.ts'

const KEPT_MS = 7 * 24 * 3600 * 1000
const KEPT_ROWS = 10_000
/** What a welcome can list. */
const LISTED = 1_000

export interface JournalRow {
  readonly id: string
  readonly name: string
  readonly idem: string
  readonly state: CommandState
  /** JSON of the result, of a command that succeeded. */
  readonly result: string | null
  /** JSON of a WireError, of any other that has ended. */
  readonly error: string | null
  /** Last log line. */
  readonly seq: number
}

export interface Beginning {
  readonly id: string
  readonly name: string
  readonly idem: string
  /** It changes nothing: should the power go, it may be forgotten. */
  readonly looksOnly?: boolean
}

export interface Ending {
  readonly state: Exclude<CommandState, 'running' | 'orphaned'>
  readonly result?: string
  readonly error?: FairleadError
  readonly seq: number
}

/** What a later agent needs to go on with a command whose program outlived this one. Never its data. */
export interface Orphan {
  readonly program: OutlivingProgram
  readonly deadlineMs: number
  /** When these are over, ms since 1970. */
  readonly deadlineAt: number
  /** The command's lock. */
  readonly lock?: string
}

/**
 * What this agent was told and what became of it, written before anything is done and before anything is answered:
 * running -> succeeded | failed | cancelled | interrupted (was running when the agent died). A command whose program
 * outlived the agent is still running: whoever opens the journal goes on with it.
 *
 * Every row outlives a kill of this process. That a command which changes something has begun outlives a loss of
 * power too: nothing is done before the disk has said so. How it ended does not have to: without its end it counts
 * as interrupted, as if the power had gone a moment earlier, and the manager looks at what is there.
 */
export class Journal {
  readonly #db: DatabaseSync
  readonly #clock: Clock
  readonly #file: string
  readonly #statements = new Map<string, StatementSync>()
  /** Settled, and not on disk yet: losing that costs nothing, so it travels with the next write. */
  readonly #settled = new Set<string>()
  #onDisk: 'now' | 'soon' = 'now'

  /** Opens the journal; what was running and left no program to take up is interrupted now. Throws ALREADY_RUNNING, JOURNAL_DAMAGED, JOURNAL_UNWRITABLE or DISK_FULL. */
  constructor(file: string, clock: Clock) {
    this.#clock = clock
    this.#file = file
    this.#db = openJournalFile(file)
    try {
      this.#write('now', () => this.#interruptRunning())
    } catch (error) {
      this.#db.close()
      throw error
    }
  }

  find(id: string): JournalRow | undefined {
    const row = this.#sql('SELECT id, name, idem, state, result, error, seq FROM commands WHERE id = ?').get(
      id,
    )
    return row && ({ ...row } as unknown as JournalRow)
  }

  begin(command: Beginning): void {
    this.#write(command.looksOnly ? 'soon' : 'now', () =>
      this.#sql(
        `INSERT INTO commands (id, name, idem, state, started_at) VALUES (?, ?, ?, 'running', ?)`,
      ).run(command.id, command.name, command.idem, this.#clock.now()),
    )
  }

  /** The command has begun a program that outlives this agent. A loss of power ends that as well, so nothing waits for the disk. */
  note(id: string, orphan: Orphan): void {
    this.#write('soon', () =>
      this.#sql('INSERT OR REPLACE INTO programs (command, facts) VALUES (?, ?)').run(
        id,
        JSON.stringify(orphan),
      ),
    )
  }

  /** Commands that an earlier agent was at, and whose program can be taken up. For an agent's start. */
  orphans(): readonly (JournalRow & { readonly orphan: Orphan })[] {
    const rows = this.#sql(
      `SELECT id, name, idem, state, result, error, seq, facts
       FROM commands JOIN programs ON command = id WHERE state = 'running'`,
    ).all() as unknown as (JournalRow & { readonly facts: string })[]
    return rows.map(({ facts, ...row }) => ({ ...row, orphan: JSON.parse(facts) as Orphan }))
  }

  end(id: string, { state, result, error, seq }: Ending): void {
    const wireError = error ? JSON.stringify(toWire(error)) : null
    this.#write('soon', () => {
      this.#sql(
        'UPDATE commands SET state = ?, result = ?, error = ?, seq = ?, ended_at = ? WHERE id = ?',
      ).run(state, result ?? null, wireError, seq, this.#clock.now(), id)
      this.#sql('DELETE FROM programs WHERE command = ?').run(id)
    })
  }

  /** The manager has stored how the command ended and all of its lines. */
  settle(id: string): void {
    this.#settled.add(id)
  }

  /** Commands that the manager does not know the end of, newest first. */
  unsettled(): readonly Pick<JournalRow, 'id' | 'state' | 'seq'>[] {
    this.#writeLater()
    return this.#sql(
      'SELECT id, state, seq FROM commands WHERE settled = 0 ORDER BY started_at DESC LIMIT ?',
    ).all(LISTED) as unknown as JournalRow[]
  }

  /** Forgets what is older than 7 days or beyond the newest 10,000; gives the forgotten ids. */
  prune(): readonly string[] {
    const sql = `DELETE FROM commands WHERE state <> 'running' AND (ended_at < ?
         OR id IN (SELECT id FROM commands ORDER BY started_at DESC LIMIT -1 OFFSET ?)) RETURNING id`
    const forgotten: string[] = []
    const isDone = this.#writeLater(() => {
      const rows = this.#sql(sql).all(this.#clock.now() - KEPT_MS, KEPT_ROWS)
      forgotten.push(...rows.map(row => String(row.id)))
    })
    return isDone ? forgotten : []
  }

  /** The highest epoch of a manager served so far. */
  epoch(): number {
    return Number(this.#sql(`SELECT value FROM numbers WHERE name = 'epoch'`).get()?.value ?? 0)
  }

  raiseEpoch(epoch: number): void {
    if (epoch > this.epoch()) {
      this.#write('now', () =>
        this.#sql(`INSERT OR REPLACE INTO numbers (name, value) VALUES ('epoch', ?)`).run(epoch),
      )
    }
  }

  close(): void {
    this.#writeLater()
    this.#db.close()
  }

  #sql(text: string): StatementSync {
    const statement = this.#statements.get(text) ?? this.#db.prepare(text)
    this.#statements.set(text, statement)
    return statement
  }

  /** One transaction. It is on the disk when this returns (`now`), or with the next one that is (`soon`). */
  #write(onDisk: 'now' | 'soon', run: () => void): void {
    if (onDisk !== this.#onDisk) {
      this.#db.exec(`PRAGMA synchronous = ${onDisk === 'now' ? 'FULL' : 'NORMAL'}`)
      this.#onDisk = onDisk
    }
    try {
      this.#db.exec('BEGIN IMMEDIATE')
      for (const id of this.#settled) {
        this.#sql(`UPDATE commands SET settled = 1 WHERE id = ? AND state <> 'running'`).run(id)
      }
      run()
      this.#db.exec('COMMIT')
      this.#settled.clear()
    } catch (error) {
      // On a full disk SQLite may have rolled back by itself.
      if (this.#db.isTransaction) {
        this.#db.exec('ROLLBACK')
      }
      throw journalError(error, this.#file)
    }
  }

  /** What costs nothing to lose, with what was settled: a disk that cannot be written keeps no manager out. */
  #writeLater(run: () => void = () => undefined): boolean {
    try {
      this.#write('soon', run)
      return true
    } catch (error) {
      if (!isJournalDiskError(error)) {
        throw error
      }
      return false
    }
  }

  #interruptRunning(): void {
    const kept = new Set(this.orphans().flatMap(({ id, orphan }) => (canTakeUp(orphan.program) ? [id] : [])))
    for (const { id, name } of this.#sql(`SELECT id, name FROM commands WHERE state = 'running'`).all()) {
      if (kept.has(String(id))) {
        continue
      }
      const error = JSON.stringify(toWire(COMMAND_INTERRUPTED(String(name))))
      this.#sql(`UPDATE commands SET state = 'interrupted', error = ?, ended_at = ? WHERE id = ?`).run(
        error,
        this.#clock.now(),
        id ?? null,
      )
    }
    this.#db.exec(
      `DELETE FROM programs WHERE command NOT IN (SELECT id FROM commands WHERE state = 'running')`,
    )
  }
}

import { background } from '#lib/background.ts'
import type { Logger } from '#lib/logger.ts'
import type { CommandLog } from './command-log.ts'
import type { JournalRow } from './journal.ts'
import { Credit, LineStream } from './line-stream.ts'
import type { Session } from './session.ts'

export interface TellingParts {
  readonly session: Session
  readonly logger: Logger
  readonly logOf: (id: string) => CommandLog
  /** How a command ended, asked once its log has ended. */
  readonly endOf: (id: string) => JournalRow | undefined
}

/** What one session is being told: at most one stream per command, all within the session's credit. */
export class Telling {
  readonly #parts: TellingParts
  readonly #credit = new Credit()
  readonly #streams = new Map<string, LineStream>()

  constructor(parts: TellingParts) {
    this.#parts = parts
  }

  /** Tells all about a command after a line; a second wish for the same command replaces the first. */
  tell(row: JournalRow, afterSeq: number): void {
    const { id } = row
    const { session, logger, logOf, endOf } = this.#parts
    this.leave(id)
    session.send('accepted', { id, command: row.name, state: row.state })
    const stream = new LineStream({
      id,
      session,
      credit: this.#credit,
      log: logOf(id),
      afterSeq,
      ending: () => endOf(id),
    })
    this.#streams.set(id, stream)
    background(
      stream.run().finally(() => this.#streams.get(id) === stream && this.#streams.delete(id)),
      error => logger.error('command.untold', { id, reason: error.message }),
    )
  }

  /** Not everything about the command is told yet. */
  tells(id: string): boolean {
    return this.#streams.has(id)
  }

  /** The lines up to this one have arrived. */
  arrived(id: string, seq: number): void {
    this.#credit.giveBack(id, seq)
    this.wake()
  }

  leave(id: string): void {
    this.#streams.get(id)?.close()
    this.#streams.delete(id)
    this.arrived(id, Number.MAX_SAFE_INTEGER)
  }

  sayAlive(): void {
    for (const id of this.#streams.keys()) {
      this.#parts.session.send('alive', { id })
    }
  }

  wake(): void {
    for (const stream of this.#streams.values()) {
      stream.wake()
    }
  }

  close(): void {
    for (const stream of this.#streams.values()) {
      stream.close()
    }
    this.#streams.clear()
  }
}

import { setImmediate as nextTurn } from 'node:timers/promises'
import { COMMAND_WINDOW_BYTES, SESSION_WINDOW_BYTES } from '#link/limits.ts'
import type { CommandLog } from './command-log.ts'
import type { JournalRow } from './journal.ts'
import type { LogReader } from './log-reader.ts'
import type { Session } from './session.ts'

/** What may still be on the way to a manager: 1 MiB per command, 4 MiB together, until it acknowledges. */
export class Credit {
  readonly #sent = new Map<string, { seq: number; bytes: number }[]>()
  #total = 0

  has(id: string): boolean {
    const own = (this.#sent.get(id) ?? []).reduce((sum, { bytes }) => sum + bytes, 0)
    return own < COMMAND_WINDOW_BYTES && this.#total < SESSION_WINDOW_BYTES
  }

  spend(id: string, sent: { seq: number; bytes: number }): void {
    this.#sent.set(id, [...(this.#sent.get(id) ?? []), sent])
    this.#total += sent.bytes
  }

  /** Everything up to this line has arrived. */
  giveBack(id: string, seq: number): void {
    const open = this.#sent.get(id) ?? []
    const left = open.filter(sent => sent.seq > seq)
    this.#total -= open.reduce((sum, sent) => sum + (sent.seq > seq ? 0 : sent.bytes), 0)
    if (left.length > 0) {
      this.#sent.set(id, left)
    } else {
      this.#sent.delete(id)
    }
  }
}

export interface StreamParts {
  readonly id: string
  readonly session: Session
  readonly credit: Credit
  readonly log: CommandLog
  readonly afterSeq: number
  /** How the command ended, asked once its log has ended. */
  readonly ending: () => JournalRow | undefined
}

/** Tells one session about one command: its lines as fast as the manager takes them, then how it ended. */
export class LineStream {
  readonly #parts: StreamParts
  readonly #reader: LogReader
  readonly #unwatch: () => void
  #waiting: PromiseWithResolvers<void> | undefined
  #closed = false

  constructor(parts: StreamParts) {
    this.#parts = parts
    this.#reader = parts.log.reader(parts.afterSeq)
    this.#unwatch = parts.log.watch(() => this.wake())
  }

  async run(): Promise<void> {
    while (!this.#closed && !this.#tellMore()) {
      // A turn of the event loop between two pieces keeps heartbeats and other commands going.
      await (this.#waiting?.promise ?? nextTurn())
    }
    this.close()
  }

  /** Something changed: new lines, an ack, a drained socket. */
  wake(): void {
    this.#waiting?.resolve()
    this.#waiting = undefined
  }

  close(): void {
    if (this.#closed) {
      return
    }
    this.#closed = true
    this.#unwatch()
    this.#reader.close()
    this.wake()
  }

  /** Sends one piece if it may; true when all is told. */
  #tellMore(): boolean {
    const { session, credit, id, log } = this.#parts
    if (!session.writable || !credit.has(id)) {
      this.#wait()
      return false
    }
    const batch = this.#reader.read()
    const last = batch?.lines.at(-1)
    if (batch && last) {
      const dropped = batch.dropped > 0 ? { dropped: batch.dropped } : {}
      const bytes = session.send('progress', { id, lines: [...batch.lines], ...dropped })
      credit.spend(id, { seq: last.seq, bytes })
      return false
    }
    if (log.ended) {
      this.#tellEnding()
      return true
    }
    this.#wait()
    return false
  }

  #wait(): void {
    this.#waiting = Promise.withResolvers<void>()
  }

  #tellEnding(): void {
    const { session, id, ending } = this.#parts
    const row = ending()
    if (row?.state === 'succeeded') {
      session.send('result', { id, seq: row.seq, data: JSON.parse(row.result ?? 'null') })
    } else if (row?.error) {
      session.send('error', { id, seq: row.seq, error: JSON.parse(row.error) })
    }
  }
}

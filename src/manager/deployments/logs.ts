import { type CursorParts, LogCursor } from './log-cursor.ts'
import type { DeploymentLine, LogHeader } from './log-line.ts'
import { type LogPlace, logFiles } from './log-place.ts'

export type NewLine = Omit<DeploymentLine, 'seq'>

export interface LogBounds {
  readonly segmentBytes: number
  /** Files that stay at the beginning and at the end of a long log. */
  readonly first: number
  readonly last: number
}

/** At most 33 MiB of one deployment; its whole output stays on the agent for a while. */
const BOUNDS: LogBounds = { segmentBytes: 1024 * 1024, first: 8, last: 24 }

interface OpenLog {
  seq: number
  /** First line of each file, ascending. */
  readonly segments: number[]
  /** Size of the last file. */
  bytes: number
  readonly commandSeqs: Map<string, number>
  tail: Promise<unknown>
}

/**
 * The logs of all deployments, in a folder or another place: JSON lines, appended in order, followed live. Of a long
 * log the middle goes, and a mark says how much.
 */
export class DeploymentLogs {
  readonly #place: LogPlace
  readonly #bounds: LogBounds
  readonly #open = new Map<string, Promise<OpenLog>>()
  readonly #waiting = new Map<string, Set<() => void>>()

  constructor(place: string | LogPlace, bounds = BOUNDS) {
    this.#place = typeof place === 'string' ? logFiles(place) : place
    this.#bounds = bounds
  }

  /** Appends in the order of calls; resolves when the lines are with the operating system. STORE_FULL stores none. */
  async append(id: string, lines: readonly NewLine[]): Promise<void> {
    const log = await this.#opened(id)
    const written = log.tail.then(() => this.#write(id, log, lines))
    log.tail = written.catch(() => {})
    await written
  }

  /** Number of the last line stored of a command; 0 for none. */
  async lastSeqOf(id: string, command: string): Promise<number> {
    const log = await this.#opened(id)
    await log.tail
    return log.commandSeqs.get(command) ?? 0
  }

  /** Lines after `fromSeq`, oldest first. */
  async *read(id: string, fromSeq = 0): AsyncGenerator<DeploymentLine> {
    const cursor = this.#cursor(id, fromSeq)
    for (let lines = await cursor.next(); lines; lines = await cursor.next()) {
      yield* lines
    }
  }

  /** Lines after `fromSeq`, then each new one until the signal, without gap or repetition, as fast as they are taken. */
  async *follow(id: string, fromSeq: number, signal: AbortSignal): AsyncGenerator<DeploymentLine> {
    const cursor = this.#cursor(id, fromSeq)
    const waiting = this.#waiting.get(id) ?? new Set()
    this.#waiting.set(id, waiting)
    let grown = Promise.withResolvers<void>()
    const wake = () => grown.resolve()
    waiting.add(wake)
    signal.addEventListener('abort', wake, { once: true })
    try {
      for (;;) {
        const isLast = signal.aborted
        const lines = await cursor.next()
        if (lines) {
          yield* lines
        } else if (isLast) {
          return
        } else {
          await grown.promise
          grown = Promise.withResolvers<void>()
        }
      }
    } finally {
      signal.removeEventListener('abort', wake)
      waiting.delete(wake)
      if (waiting.size === 0) {
        this.#waiting.delete(id)
      }
    }
  }

  /** Resolves when everything appended so far is with the operating system. */
  async settled(id: string): Promise<void> {
    const log = await this.#open.get(id)
    await log?.tail
  }

  /** Forgets what is kept in memory of a deployment that has ended. */
  async release(id: string): Promise<void> {
    await this.settled(id)
    this.#open.delete(id)
  }

  async remove(id: string): Promise<void> {
    await this.release(id)
    await this.#place.removeAll(id)
  }

  /** Of which deployments there is a log, in any order. */
  ids(): AsyncIterable<string> {
    return this.#place.ids()
  }

  async #write(id: string, log: OpenLog, lines: readonly NewLine[]): Promise<void> {
    const { numbered, commandSeqs } = number(log, lines)
    if (numbered.length === 0) {
      return
    }
    const isNew = log.segments.length === 0 || log.bytes >= this.#bounds.segmentBytes
    const first = isNew ? log.seq + 1 : (log.segments.at(-1) ?? 1)
    const header = isNew && first > 1 ? headerOf(log) : ''
    const text = header + numbered.map(line => `${JSON.stringify(line)}\n`).join('')
    await this.#place.append(id, first, { text, before: isNew ? 0 : log.bytes })
    if (isNew) {
      log.segments.push(first)
      log.bytes = 0
    }
    log.bytes += Buffer.byteLength(text)
    log.seq += numbered.length
    for (const [command, seq] of commandSeqs) {
      log.commandSeqs.set(command, seq)
    }
    await this.#cut(id, log)
    for (const wake of this.#waiting.get(id) ?? []) {
      wake()
    }
  }

  async #cut(id: string, { segments }: OpenLog): Promise<void> {
    const { first, last } = this.#bounds
    if (segments.length > first + last) {
      const [gone = 0] = segments.splice(first, 1)
      await this.#place.remove(id, gone)
    }
  }

  #opened(id: string): Promise<OpenLog> {
    let log = this.#open.get(id)
    if (!log) {
      log = this.#recover(id)
      this.#open.set(id, log)
      log.catch(() => this.#open.delete(id))
    }
    return log
  }

  /** Finds where the log stands after a restart; a half-written last line is cut off. */
  async #recover(id: string): Promise<OpenLog> {
    const segments = [...(await this.#place.list(id))]
    const log: OpenLog = { seq: 0, segments, bytes: 0, commandSeqs: new Map(), tail: Promise.resolve() }
    const cursor = new LogCursor({
      afterSeq: 0,
      read: this.#reader(id),
      segments: async () => segments,
    })
    for (let lines = await cursor.next(); lines; lines = await cursor.next()) {
      for (const [command, seq] of Object.entries(cursor.header?.commandSeqs ?? {})) {
        log.commandSeqs.set(command, Math.max(seq, log.commandSeqs.get(command) ?? 0))
      }
      for (const { seq, command, commandSeq = 0 } of lines) {
        log.seq = seq
        if (command !== undefined) {
          log.commandSeqs.set(command, commandSeq)
        }
      }
    }
    const last = segments.at(-1)
    if (last !== undefined) {
      log.bytes = cursor.complete
      await this.#place.cut(id, last, log.bytes)
    }
    return log
  }

  #cursor(id: string, afterSeq: number): LogCursor {
    return new LogCursor({
      afterSeq,
      read: this.#reader(id),
      segments: async () =>
        (await this.#open.get(id)?.catch(() => undefined))?.segments ?? (await this.#place.list(id)),
    })
  }

  #reader(id: string): CursorParts['read'] {
    return (segment, at) => this.#place.read(id, segment, at)
  }
}

/** Gives the lines that are new their numbers. */
function number(log: OpenLog, lines: readonly NewLine[]) {
  const commandSeqs = new Map<string, number>()
  const numbered: DeploymentLine[] = []
  for (const line of lines) {
    const { command, commandSeq } = line
    if (command !== undefined && commandSeq !== undefined) {
      if (commandSeq <= (commandSeqs.get(command) ?? log.commandSeqs.get(command) ?? 0)) {
        continue
      }
      commandSeqs.set(command, commandSeq)
    }
    numbered.push({ seq: log.seq + numbered.length + 1, ...line })
  }
  return { numbered, commandSeqs }
}

function headerOf({ commandSeqs }: OpenLog): string {
  const header: LogHeader = { commandSeqs: Object.fromEntries(commandSeqs) }
  return `${JSON.stringify(header)}\n`
}

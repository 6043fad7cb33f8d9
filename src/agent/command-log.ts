import { closeSync, mkdirSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { LogLine } from '#contract/agent-frames.ts'
import type { Clock, Timer } from '#lib/clock.ts'
import { BATCH_BYTES, BATCH_MS } from '#link/limits.ts'
import { LogReader, segmentName } from './log-reader.ts'

const SEGMENT_BYTES = 1024 * 1024
const SEGMENTS = 64

export interface LogBounds {
  readonly segmentBytes: number
  readonly segments: number
}

/**
 * The lines of one command on disk, so that a slow or absent manager never stops the command and memory stays flat.
 * Files of 1 MiB named after their first line; above 64 of them the oldest but the very first goes:
 * the beginning and the end of a long log are what people read. A reader learns how many lines are missing.
 */
export class CommandLog {
  readonly #folder: string
  readonly #bounds: LogBounds
  readonly #watchers = new Set<() => void>()
  /** First line of each file that is still there, ascending. */
  readonly #segments: number[]
  #written: { readonly clock: Clock; descriptor: number; bytes: number } | undefined
  #gathered: string[] = []
  #gatheredBytes = 0
  #gatheredFrom = 1
  #timer: Timer | undefined
  #seq = 0

  private constructor(folder: string, segments: number[], bounds: LogBounds) {
    this.#folder = folder
    this.#segments = segments
    this.#bounds = bounds
  }

  static create(
    folder: string,
    clock: Clock,
    bounds = { segmentBytes: SEGMENT_BYTES, segments: SEGMENTS },
  ): CommandLog {
    const log = new CommandLog(folder, [], bounds)
    log.#written = { clock, descriptor: -1, bytes: 0 }
    return log
  }

  /** The log of a command that an earlier agent began: goes on after its last line. */
  static reopen(folder: string, clock: Clock): CommandLog {
    const log = CommandLog.open(folder)
    log.#written = { clock, descriptor: -1, bytes: 0 }
    const reader = log.reader(0)
    for (let batch = reader.read(); batch; batch = reader.read()) {
      log.#seq = batch.lines.at(-1)?.seq ?? log.#seq
    }
    reader.close()
    // A file in which no line was ended would be in the way of the one that goes on.
    for (const first of log.#segments.filter(each => each > log.#seq)) {
      log.#segments.splice(log.#segments.indexOf(first), 1)
      rmSync(join(folder, segmentName(first)), { force: true })
    }
    return log
  }

  /** The log of a command that has ended; empty when its files are gone. */
  static open(folder: string): CommandLog {
    const names = readable(folder).filter(name => name.endsWith('.log'))
    const segments = names.map(name => Number.parseInt(name, 10)).sort((a, b) => a - b)
    return new CommandLog(folder, segments, { segmentBytes: SEGMENT_BYTES, segments: SEGMENTS })
  }

  get ended(): boolean {
    return this.#written === undefined
  }

  /** Number of the last line. */
  get seq(): number {
    return this.#seq
  }

  /** Adds one line. It reaches the disk and the readers after 50 ms or 64 KiB. */
  append(stream: LogLine['stream'], text: string): void {
    if (!this.#written) {
      return
    }
    const { clock } = this.#written
    const line = `${JSON.stringify({ seq: ++this.#seq, at: clock.now(), stream, text })}\n`
    if (this.#gathered.length === 0) {
      this.#gatheredFrom = this.#seq
      this.#timer = clock.after(BATCH_MS, () => this.flush())
    }
    this.#gathered.push(line)
    this.#gatheredBytes += line.length
    if (this.#gatheredBytes >= BATCH_BYTES) {
      this.flush()
    }
  }

  flush(): void {
    this.#timer?.close()
    if (this.#gathered.length === 0) {
      return
    }
    const text = Buffer.from(this.#gathered.join(''))
    this.#gathered = []
    this.#gatheredBytes = 0
    try {
      this.#write(text)
    } catch {
      // A full disk costs lines (a reader sees the gap), never the command.
    }
    this.#wake()
  }

  end(): void {
    this.flush()
    const descriptor = this.#written?.descriptor ?? -1
    this.#written = undefined
    if (descriptor !== -1) {
      closeSync(descriptor)
    }
    this.#wake()
  }

  /** Calls `run` whenever there is more to read, and at the end. */
  watch(run: () => void): () => void {
    this.#watchers.add(run)
    return () => this.#watchers.delete(run)
  }

  /** Reads the lines after this one, now or later. Close it. */
  reader(afterSeq: number): LogReader {
    return new LogReader({ folder: this.#folder, segments: this.#segments }, afterSeq)
  }

  #write(text: Buffer): void {
    const written = this.#written
    if (!written) {
      return
    }
    if (written.descriptor === -1 || written.bytes >= this.#bounds.segmentBytes) {
      this.#startSegment(written)
    }
    for (let at = 0; at < text.length; ) {
      at += writeSync(written.descriptor, text, at)
    }
    written.bytes += text.length
  }

  #startSegment(written: { descriptor: number; bytes: number }): void {
    if (written.descriptor === -1) {
      // Not earlier: most commands say nothing.
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
    } else {
      closeSync(written.descriptor)
      written.descriptor = -1
    }
    written.descriptor = openSync(join(this.#folder, segmentName(this.#gatheredFrom)), 'ax', 0o600)
    written.bytes = 0
    this.#segments.push(this.#gatheredFrom)
    if (this.#segments.length > this.#bounds.segments) {
      const [oldest] = this.#segments.splice(1, 1)
      rmSync(join(this.#folder, segmentName(oldest ?? 0)), { force: true })
    }
  }

  #wake(): void {
    for (const run of [...this.#watchers]) {
      run()
    }
  }
}

function readable(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

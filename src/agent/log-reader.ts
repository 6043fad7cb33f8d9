import { closeSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import type { LogLine } from '#contract/agent-frames.ts'
import { BATCH_BYTES } from '#link/limits.ts'

const NEWLINE = 0x0a

/** Lines that follow each other, and how many are missing right before them. */
export interface Batch {
  readonly lines: readonly LogLine[]
  readonly dropped: number
}

/** Reads a command's log from a line on, also while it grows. Holds one file open and 64 KiB at a time. */
export class LogReader {
  readonly #folder: string
  /** Shared with the writer: grows at the end, loses from its middle. */
  readonly #segments: readonly number[]
  readonly #buffer = Buffer.alloc(BATCH_BYTES)
  #expected: number
  #segment = 0
  #descriptor = -1
  #offset = 0
  /** Begin of a line whose rest was not read yet. */
  #partial: Buffer = Buffer.alloc(0)
  #lines: LogLine[] = []

  constructor(log: { folder: string; segments: readonly number[] }, afterSeq: number) {
    this.#folder = log.folder
    this.#segments = log.segments
    this.#expected = afterSeq + 1
  }

  /** The next lines, at most about 64 KiB; undefined when there is nothing more now. */
  read(): Batch | undefined {
    while (this.#lines.length === 0) {
      if (!this.#fill()) {
        return undefined
      }
    }
    return this.#takeRun()
  }

  close(): void {
    if (this.#descriptor !== -1) {
      closeSync(this.#descriptor)
      this.#descriptor = -1
    }
  }

  #takeRun(): Batch {
    const first = this.#lines[0]?.seq ?? this.#expected
    const dropped = first - this.#expected
    let length = 1
    while (this.#lines[length]?.seq === first + length) {
      length++
    }
    const lines = this.#lines.slice(0, length)
    this.#lines = this.#lines.slice(length)
    this.#expected = first + length
    return { lines, dropped }
  }

  /** Reads one piece. False at the end of all that is written. */
  #fill(): boolean {
    while (this.#descriptor === -1) {
      if (!this.#openNext()) {
        return false
      }
    }
    const bytes = readSync(this.#descriptor, this.#buffer, 0, this.#buffer.length, this.#offset)
    if (bytes > 0) {
      this.#offset += bytes
      this.#parse(this.#buffer.subarray(0, bytes))
      return true
    }
    return this.#openNext()
  }

  /** Steps to the file that holds the expected line, or the first one after it. */
  #openNext(): boolean {
    const later = this.#segments.filter(first => first > this.#segment)
    const next =
      this.#segment === 0 ? (later.findLast(first => first <= this.#expected) ?? later[0]) : later[0]
    if (next === undefined) {
      return false
    }
    this.close()
    try {
      this.#descriptor = openSync(join(this.#folder, segmentName(next)), 'r')
    } catch {
      // Gone: its lines count as missing.
    }
    this.#segment = next
    this.#offset = 0
    this.#partial = Buffer.alloc(0)
    return true
  }

  #parse(piece: Buffer): void {
    const bytes = this.#partial.length > 0 ? Buffer.concat([this.#partial, piece]) : piece
    let start = 0
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
      this.#add(bytes.toString('utf8', start, end))
      start = end + 1
    }
    this.#partial = Buffer.from(bytes.subarray(start))
  }

  #add(text: string): void {
    try {
      const line = JSON.parse(text) as LogLine
      if (line.seq >= this.#expected) {
        this.#lines.push(line)
      }
    } catch {
      // Half a line from a full disk or a power cut: it counts as missing.
    }
  }
}

/** Name of the file whose first line has this number. */
export function segmentName(firstSeq: number): string {
  return `${String(firstSeq).padStart(16, '0')}.log`
}

import { cutMark, type DeploymentLine, type LogHeader } from './log-line.ts'

const PIECE_BYTES = 64 * 1024
const NEWLINE = 0x0a

export interface CursorParts {
  /** First line of each segment that is there, ascending. */
  readonly segments: () => Promise<readonly number[]>
  readonly read: (segment: number, at: { readonly offset: number; readonly bytes: number }) => Promise<Buffer>
  /** Lines after this one are wanted. */
  readonly afterSeq: number
}

/** Reads a log from a line on, also while it grows: holds 64 KiB at a time, however slow its reader is. */
export class LogCursor {
  readonly #parts: CursorParts
  #last: number
  #segment: number | undefined
  #offset = 0
  #partial: Buffer = Buffer.alloc(0)
  /** Of the last file with one. */
  header: LogHeader | undefined

  constructor(parts: CursorParts) {
    this.#parts = parts
    this.#last = parts.afterSeq
  }

  /** Bytes of complete lines in the file at which it stands. */
  get complete(): number {
    return this.#offset - this.#partial.length
  }

  /** The next lines, with a mark where lines are missing; undefined when there are no more now. */
  async next(): Promise<readonly DeploymentLine[] | undefined> {
    for (;;) {
      // Listed before it is read: the segment before another one is complete.
      const segments = await this.#parts.segments()
      this.#segment ??= segments.findLast(first => first <= this.#last + 1) ?? segments[0]
      if (this.#segment === undefined) {
        return undefined
      }
      const piece = await this.#read(this.#segment)
      if (piece.length > 0) {
        const lines = this.#parse(piece)
        if (lines.length > 0) {
          return lines
        }
        continue
      }
      const next = segments.find(first => first > (this.#segment ?? 0))
      if (next === undefined) {
        return undefined
      }
      this.#segment = next
      this.#offset = 0
      this.#partial = Buffer.alloc(0)
    }
  }

  async #read(segment: number): Promise<Buffer> {
    const piece = await this.#parts.read(segment, { offset: this.#offset, bytes: PIECE_BYTES })
    this.#offset += piece.length
    return piece
  }

  #parse(piece: Buffer): DeploymentLine[] {
    const bytes = this.#partial.length > 0 ? Buffer.concat([this.#partial, piece]) : piece
    const lines: DeploymentLine[] = []
    let start = 0
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
      this.#take(bytes.toString('utf8', start, end), lines)
      start = end + 1
    }
    this.#partial = Buffer.from(bytes.subarray(start))
    return lines
  }

  #take(text: string, lines: DeploymentLine[]): void {
    const line = parsed(text)
    if (line === undefined) {
      return
    }
    if ('commandSeqs' in line) {
      this.header = line
      return
    }
    const missing = line.seq - this.#last - 1
    if (missing < 0) {
      return
    }
    if (missing > 0) {
      lines.push(cutMark(line, missing))
    }
    lines.push(line)
    this.#last = line.seq
  }
}

function parsed(text: string): DeploymentLine | LogHeader | undefined {
  try {
    return JSON.parse(text) as DeploymentLine | LogHeader
  } catch {
    return undefined
  }
}

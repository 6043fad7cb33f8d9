import type { LogLine } from '#contract/agent-frames.ts'
import { COMMAND_WINDOW_BYTES } from '#link/limits.ts'

/** Stores lines; they are acknowledged when it resolves. `dropped`: so many before them are gone for good. */
export type OnLines = (lines: readonly LogLine[], dropped: number) => Promise<void> | void

export interface StoringOptions {
  /** Last line that is stored already. */
  readonly fromSeq: number
  readonly onLines: OnLines | undefined
  readonly onFailure: (error: unknown) => void
}

interface Piece {
  readonly lines: readonly LogLine[]
  readonly bytes: number
  /** Called when they are stored. */
  readonly stored: (seq: number) => void
}

/** The lines of one command on their way to where they are kept: in order, each once, never too many at a time. */
export class Storing {
  readonly #options: StoringOptions
  #received: number
  #stored: number
  #bytes = 0
  #work: Promise<void> = Promise.resolve()
  #failed = false

  constructor(options: StoringOptions) {
    this.#options = options
    this.#received = options.fromSeq
    this.#stored = options.fromSeq
  }

  /** Last line that is stored. */
  get stored(): number {
    return this.#stored
  }

  /** Takes lines that follow each other and what was received before; says what is wrong with any others. */
  take(piece: Piece): 'taken' | 'out of order' | 'too many' {
    const first = piece.lines[0]?.seq ?? 0
    const inOrder = first > this.#received && piece.lines.every(({ seq }, index) => seq === first + index)
    if (!inOrder) {
      return 'out of order'
    }
    if (this.#bytes + piece.bytes > 2 * COMMAND_WINDOW_BYTES) {
      return 'too many'
    }
    const dropped = first - this.#received - 1
    this.#received = first + piece.lines.length - 1
    this.#bytes += piece.bytes
    this.#work = this.#work.then(() => this.#store(piece, dropped))
    return 'taken'
  }

  /** Resolves when nothing is on its way; a new connection goes on after the last stored line. */
  async settle(): Promise<void> {
    await this.#work
    this.#received = this.#stored
  }

  async #store({ lines, bytes, stored }: Piece, dropped: number): Promise<void> {
    if (this.#failed) {
      return
    }
    try {
      await this.#options.onLines?.(lines, dropped)
      this.#stored = lines.at(-1)?.seq ?? this.#stored
      this.#bytes -= bytes
      stored(this.#stored)
    } catch (error) {
      this.#failed = true
      this.#options.onFailure(error)
    }
  }
}

import { Duplex } from 'node:stream'
import { BAD_FRAME } from './errors.ts'
import { TALK_PIECE_BYTES, TALK_WINDOW_BYTES } from './limits.ts'

export interface TalkSize {
  readonly columns: number
  readonly rows: number
}

/** How one side of a talk reaches the other. */
export interface TalkWire {
  /** Bytes in base64. */
  say(data: string): void
  /** So many bytes of the other side have been taken: it may send as many again. */
  heard(bytes: number): void
  /** Of the side that has a window. */
  resized?(size: TalkSize): void
}

/**
 * One side of a talk between whoever sits before the manager and a command of an agent: bytes both ways while the command
 * runs, kept nowhere. Each side sends no more than the other has room for, so neither fills the memory of the other.
 */
export class Talk extends Duplex {
  #wire: TalkWire | undefined
  /** Bytes that the other side still takes. */
  #room = TALK_WINDOW_BYTES
  /** Bytes that the other side may still send. */
  #open = TALK_WINDOW_BYTES
  #blocked: (() => void) | undefined
  readonly #pieces: Buffer[] = []
  #isWanted = false
  #isOver = false
  #isEnded = false

  constructor(wire?: TalkWire) {
    super({ highWaterMark: TALK_PIECE_BYTES })
    this.#wire = wire
  }

  /** What was written until now is sent, and all that follows. */
  attach(wire: TalkWire): void {
    this.#wire = wire
    this.#goOn()
  }

  /** What the other side said. Throws BAD_FRAME when that is more than it may. */
  arrive(data: string): void {
    const piece = Buffer.from(data, 'base64')
    if (piece.length > this.#open) {
      throw BAD_FRAME('The frame talk', `more than ${TALK_WINDOW_BYTES} bytes came that nobody has taken yet`)
    }
    this.#open -= piece.length
    this.#pieces.push(piece)
    this.#hand()
  }

  /** The other side has taken so many bytes. */
  giveRoom(bytes: number): void {
    this.#room = Math.min(this.#room + bytes, TALK_WINDOW_BYTES)
    this.#goOn()
  }

  resize(size: TalkSize): void {
    this.#wire?.resized?.(size)
  }

  /** The other side says nothing more: what it has said is still read to its end. */
  over(): void {
    this.#isOver = true
    this.#hand()
  }

  override _read(): void {
    this.#isWanted = true
    this.#hand()
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#say(chunk, done)
  }

  #hand(): void {
    while (this.#isWanted && !this.destroyed) {
      const piece = this.#pieces.shift()
      if (!piece) {
        break
      }
      this.#isWanted = this.push(piece)
      this.#open += piece.length
      // Last: more may come of it at once.
      this.#wire?.heard(piece.length)
    }
    if (this.#isOver && this.#pieces.length === 0 && !this.#isEnded && !this.destroyed) {
      this.#isEnded = true
      this.push(null)
    }
  }

  #say(chunk: Buffer, done: () => void): void {
    if (chunk.length === 0) {
      done()
      return
    }
    if (!this.#wire || this.#room === 0) {
      this.#blocked = () => this.#say(chunk, done)
      return
    }
    const piece = chunk.subarray(0, Math.min(this.#room, TALK_PIECE_BYTES))
    this.#room -= piece.length
    this.#wire.say(piece.toString('base64'))
    this.#say(chunk.subarray(piece.length), done)
  }

  #goOn(): void {
    const blocked = this.#blocked
    this.#blocked = undefined
    blocked?.()
  }
}

import type { Display } from './print.ts'

/** The lowest lines of a terminal, drawn again and again in place. */
export class LiveArea {
  readonly #display: Display
  #drawn = 0

  constructor(display: Display) {
    this.#display = display
  }

  /** Takes the place of what was drawn before. Lines must fit the width. */
  draw(lines: readonly string[]): void {
    const shown = lines.slice(-(this.#display.rows - 1))
    const back = this.#drawn === 0 ? '' : `\x1b[${this.#drawn}A`
    this.#display.write(`${back}\r\x1b[J${shown.map(line => `${line}\n`).join('')}`)
    this.#drawn = shown.length
  }

  /** Leaves what is drawn where it is; the next line goes below. */
  keep(): void {
    this.#drawn = 0
  }
}

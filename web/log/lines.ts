import { shallowReactive } from 'vue'
import { plainText } from './ansi.ts'

export interface Line {
  readonly text: string
  readonly at: string
  /** The step of a deployment that it belongs to; empty for what an app prints. */
  readonly step: string
  readonly stream: 'stdout' | 'stderr' | 'info'
}

/** More would fill the memory of a phone; the oldest go. */
const MOST = 200_000

/**
 * The lines of a log. They are kept outside of Vue's reach, and only a counter changes: a hundred thousand lines cost no
 * more than the fifty that are seen.
 */
export class LogLines {
  readonly seen = shallowReactive({ count: 0, left: 0 })
  #lines: Line[] = []
  #plain: string[] = []

  add(lines: readonly Line[]): void {
    for (const line of lines) {
      this.#lines.push(line)
    }
    if (this.#lines.length > MOST) {
      const over = this.#lines.length - MOST
      this.#lines.splice(0, over)
      this.#plain.splice(0, over)
      this.seen.left += over
    }
    this.seen.count = this.#lines.length
  }

  at(index: number): Line | undefined {
    return this.#lines[index]
  }

  /** Indexes of the lines with these words, in any case of letters. */
  find(words: string): number[] {
    const wanted = words.toLowerCase()
    const found: number[] = []
    for (const [index, line] of this.#lines.entries()) {
      this.#plain[index] ??= plainText(line.text).toLowerCase()
      if (this.#plain[index]?.includes(wanted)) {
        found.push(index)
      }
    }
    return found
  }

  /** Everything as text, without controls. */
  text(): string {
    return this.#lines
      .map(line => `${line.at} ${line.step} ${plainText(line.text)}`.replace('  ', ' '))
      .join('\n')
  }
}

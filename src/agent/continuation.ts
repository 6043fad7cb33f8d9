import type { LogLine } from '#contract/agent-frames.ts'
import type { Ended } from '#exec/program-outcome.ts'
import type { CommandLog } from './command-log.ts'

/**
 * A command that is done again from its start, because an earlier agent died at it: what was said before is not said
 * twice, until the command comes to the program that was left and is given how that ended.
 */
export class Continuation {
  readonly #said = new Map<string, number>()
  #left: { readonly what: string; readonly ended: Ended } | undefined

  constructor(log: CommandLog) {
    const reader = log.reader(0)
    for (let batch = reader.read(); batch; batch = reader.read()) {
      for (const { stream, text } of batch.lines) {
        const key = keyOf(stream, text)
        this.#said.set(key, (this.#said.get(key) ?? 0) + 1)
      }
    }
    reader.close()
  }

  /** The program that was left has ended. */
  keep(what: string, ended: Ended): void {
    this.#left = { what, ended }
  }

  /** How it ended, once, if it is this one. */
  take(what: string | undefined): Ended | undefined {
    const left = this.#left?.what === what ? this.#left : undefined
    if (left) {
      this.#left = undefined
      this.#said.clear()
    }
    return left?.ended
  }

  /** Whether a line was said before; as often as it was, and not more often. */
  wasSaid(stream: LogLine['stream'], text: string): boolean {
    const key = keyOf(stream, text)
    const left = this.#said.get(key) ?? 0
    if (left > 0) {
      this.#said.set(key, left - 1)
    }
    return left > 0
  }
}

function keyOf(stream: LogLine['stream'], text: string): string {
  return `${stream} ${text}`
}

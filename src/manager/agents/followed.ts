import type { AgentFrame } from '#contract/agent-frames.ts'
import { MAX_INFLIGHT } from '#link/limits.ts'
import type { AgentLink } from './agent-link.ts'

/** Ids whose late frames are no wonder. */
const REMEMBERED = 1_000

/** Hears the frames about one command. */
export type CommandListener = (link: AgentLink, frame: AgentFrame, bytes: number) => void

/** The commands of one agent that someone follows: never more at once than an agent takes, the others wait in turn. */
export class Followed {
  readonly #listeners = new Map<string, CommandListener>()
  readonly #finished = new Set<string>()
  readonly #waiting: (() => void)[] = []
  readonly #abandoned = new Set<string>()
  #places = MAX_INFLIGHT

  /** Resolves when there is a place; give it back with leave(). Rejects with the signal's reason. */
  async place(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    if (this.#places > 0) {
      this.#places--
      return
    }
    const turn = Promise.withResolvers<void>()
    const take = () => turn.resolve()
    const abort = () => {
      const at = this.#waiting.indexOf(take)
      if (at !== -1) {
        this.#waiting.splice(at, 1)
        turn.reject(signal?.reason)
      }
    }
    this.#waiting.push(take)
    signal?.addEventListener('abort', abort, { once: true })
    await turn.promise
    signal?.removeEventListener('abort', abort)
  }

  leave(): void {
    const next = this.#waiting.shift()
    if (next) {
      next()
    } else {
      this.#places++
    }
  }

  /** One listener per id, until the returned function is called. */
  listen(id: string, listener: CommandListener): () => void {
    if (this.#listeners.has(id)) {
      throw new Error(`The command ${id} is followed already.`)
    }
    this.#listeners.set(id, listener)
    // Somebody waits for it again.
    this.#abandoned.delete(id)
    return () => {
      this.#listeners.delete(id)
      this.#finished.add(id)
      const [oldest] = this.#finished
      if (oldest && this.#finished.size > REMEMBERED) {
        this.#finished.delete(oldest)
      }
    }
  }

  listener(id: string): CommandListener | undefined {
    return this.#listeners.get(id)
  }

  /** Nobody waits for it any more, and the agent is not there to be told so. */
  abandon(id: string): void {
    this.#abandoned.add(id)
  }

  /** What has to be cancelled now that the agent is back; each is given once. */
  takeAbandoned(): readonly string[] {
    const ids = [...this.#abandoned]
    this.#abandoned.clear()
    return ids
  }

  /** Was followed a moment ago. */
  isLate(id: string): boolean {
    return this.#finished.has(id)
  }
}

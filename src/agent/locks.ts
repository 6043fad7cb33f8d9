interface Task<T> {
  readonly run: () => Promise<T>
  /** Ends its waiting. */
  readonly signal: AbortSignal
  /** Beside others that share the key, but beside none that wants it alone. */
  readonly shares?: boolean
}

/** Who has a key, or waits for it. */
interface Queue {
  /** The end of the last one that wants it alone. */
  readonly alone: Promise<unknown> | undefined
  /** The end of all. */
  readonly all: Promise<unknown>
}

/** Runs tasks with the same key one after another, in the order in which they came; those that share it at the same time. */
export class Locks {
  readonly #queues = new Map<string, Queue>()
  readonly #users = new Map<string, number>()

  /** The task's result. Rejects with the signal's reason when it is aborted before the task's turn. */
  async run<T>(key: string, { run, signal, shares = false }: Task<T>): Promise<T> {
    const queue = this.#queues.get(key)
    const before = shares ? queue?.alone : queue?.all
    const turn = Promise.withResolvers<void>()
    const end = (before ?? Promise.resolve()).then(() => turn.promise)
    // Of those before only that they have ended: with what they gave it would grow for as long as somebody shares the key.
    const all = shares ? Promise.all([queue?.all, end]).then(() => undefined) : end
    this.#queues.set(key, { alone: shares ? queue?.alone : end, all })
    this.#users.set(key, (this.#users.get(key) ?? 0) + 1)
    try {
      if (before) {
        await firstOf(before, signal)
      }
      signal.throwIfAborted()
      return await run()
    } finally {
      turn.resolve()
      this.#leave(key)
    }
  }

  #leave(key: string): void {
    const left = (this.#users.get(key) ?? 1) - 1
    if (left > 0) {
      this.#users.set(key, left)
      return
    }
    this.#users.delete(key)
    this.#queues.delete(key)
  }
}

async function firstOf(before: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const aborted = Promise.withResolvers<void>()
  const stop = () => aborted.resolve()
  signal.addEventListener('abort', stop, { once: true })
  try {
    await Promise.race([before, aborted.promise])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** Runs tasks with the same key one after another, in the order in which they came. */
export class Locks {
  readonly #tails = new Map<string, Promise<unknown>>()

  /** The task's result. Rejects with the signal's reason when it is aborted before the task's turn. */
  async run<T>(
    key: string,
    task: { readonly run: () => Promise<T>; readonly signal: AbortSignal },
  ): Promise<T> {
    const before = this.#tails.get(key)
    const turn = Promise.withResolvers<void>()
    const tail = (before ?? Promise.resolve()).then(() => turn.promise)
    this.#tails.set(key, tail)
    try {
      if (before) {
        await firstOf(before, task.signal)
      }
      task.signal.throwIfAborted()
      return await task.run()
    } finally {
      turn.resolve()
      if (this.#tails.get(key) === tail) {
        this.#tails.delete(key)
      }
    }
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

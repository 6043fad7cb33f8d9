import type { Clock, Timer } from './clock.ts'

interface Waiting {
  at: number
  readonly everyMs: number | undefined
  readonly run: () => void
}

/** Time that passes only when it is told to, with everything that happens in it in order. */
export class TestClock implements Clock {
  #now: number
  readonly #timers = new Set<Waiting>()

  constructor(now: number) {
    this.#now = now
  }

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#now
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    const over = Promise.withResolvers<void>()
    const timer = this.after(ms, over.resolve)
    const abort = () => over.reject(signal?.reason)
    signal?.addEventListener('abort', abort, { once: true })
    try {
      await over.promise
    } finally {
      timer.close()
      signal?.removeEventListener('abort', abort)
    }
  }

  after(ms: number, run: () => void): Timer {
    return this.#add({ at: this.#now + ms, everyMs: undefined, run })
  }

  every(ms: number, run: () => void): Timer {
    return this.#add({ at: this.#now + ms, everyMs: ms, run })
  }

  /** The clock of one process: when it dies, nothing that waits for time happens any more. */
  ofProcess(): { readonly clock: Clock; die(): void } {
    const own = new Set<Timer>()
    let dead = false
    const kept = (timer: Timer): Timer => {
      own.add(timer)
      return { close: () => timer.close() }
    }
    const clock: Clock = {
      now: () => this.#now,
      monotonic: () => this.#now,
      sleep: (ms, signal) => this.sleep(ms, signal),
      after: (ms, run) => kept(this.after(ms, () => dead || run())),
      every: (ms, run) => kept(this.every(ms, () => dead || run())),
    }
    return {
      clock,
      die() {
        dead = true
        for (const timer of own) {
          timer.close()
        }
      },
    }
  }

  /** Lets so much time pass; `settle` waits for what each timer set off. */
  async pass(ms: number, settle: () => Promise<void>): Promise<void> {
    const end = this.#now + ms
    for (let next = this.#next(end); next; next = this.#next(end)) {
      this.#now = Math.max(this.#now, next.at)
      if (next.everyMs === undefined) {
        this.#timers.delete(next)
      } else {
        next.at = this.#now + next.everyMs
      }
      next.run()
      await settle()
    }
    this.#now = end
  }

  #next(end: number): Waiting | undefined {
    let found: Waiting | undefined
    for (const timer of this.#timers) {
      if (timer.at <= end && (found === undefined || timer.at < found.at)) {
        found = timer
      }
    }
    return found
  }

  #add(timer: Waiting): Timer {
    this.#timers.add(timer)
    return { close: () => this.#timers.delete(timer) }
  }
}

import { setTimeout as sleepFor } from 'node:timers/promises'

/** The only source of time, handed to whoever needs it, so that tests own it. */
export interface Clock {
  /** Wall clock, ms since 1970. */
  now(): number
  /** Monotonic ms, for durations and deadlines. */
  monotonic(): number
  /** Resolves after ms; rejects with the signal's reason when it is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Calls `run` once after ms unless closed. Does not keep the process alive. */
  after(ms: number, run: () => void): Timer
  /** Calls `run` every ms until closed. Does not keep the process alive. */
  every(ms: number, run: () => void): Timer
}

export interface Timer {
  close(): void
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  async sleep(ms, signal) {
    await sleepFor(ms, undefined, signal ? { signal } : {})
  },
  after(ms, run) {
    const timer = setTimeout(run, ms)
    timer.unref()
    return { close: () => clearTimeout(timer) }
  },
  every(ms, run) {
    const timer = setInterval(run, ms)
    timer.unref()
    return { close: () => clearInterval(timer) }
  },
}

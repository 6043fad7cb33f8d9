import type { Clock } from '#lib/clock.ts'
import { FairleadError } from '#lib/errors.ts'
import { CALL_CANCELLED, CALL_TIMED_OUT } from './errors.ts'

interface Limits {
  /** What the errors call it. */
  readonly call: string
  readonly timeoutMs: number
  readonly clock: Clock
  readonly signal: AbortSignal
}

/**
 * Runs `work` with a signal that is aborted when the time is up (CALL_TIMED_OUT) or the outer signal is (CALL_CANCELLED).
 * The reason of that signal is what this throws, unless `work` throws an error of the catalogue itself.
 */
export async function withinLimits<T>(limits: Limits, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { call, timeoutMs, clock, signal } = limits
  const cancelled = () => CALL_CANCELLED(call).with({ cause: signal.reason })
  if (signal.aborted) {
    throw cancelled()
  }
  const stop = new AbortController()
  const onCancel = () => stop.abort(cancelled())
  const timer = clock.after(timeoutMs, () =>
    stop.abort(CALL_TIMED_OUT(call, Math.round(timeoutMs / 100) / 10)),
  )
  signal.addEventListener('abort', onCancel, { once: true })
  try {
    return await work(stop.signal)
  } catch (error) {
    throw stop.signal.aborted && !(error instanceof FairleadError) ? stop.signal.reason : error
  } finally {
    timer.close()
    signal.removeEventListener('abort', onCancel)
  }
}

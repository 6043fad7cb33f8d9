import { background } from './background.ts'
import type { Clock, Timer } from './clock.ts'
import type { FairleadError } from './errors.ts'

/** Does work again and again, never two of it at once: a turn that comes before the last one has ended is left out. */
export function repeat(
  clock: Pick<Clock, 'every'>,
  everyMs: number,
  {
    work,
    onError,
  }: { readonly work: () => Promise<unknown>; readonly onError: (error: FairleadError) => void },
): Timer {
  return clock.every(everyMs, turns(work, onError))
}

/** What begins a turn of the work, unless the last one has not ended yet. */
export function turns(work: () => Promise<unknown>, onError: (error: FairleadError) => void): () => void {
  let isAtWork = false
  return () => {
    if (isAtWork) {
      return
    }
    isAtWork = true
    const turn = work().finally(() => {
      isAtWork = false
    })
    background(turn, onError)
  }
}

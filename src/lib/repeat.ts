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
  let isAtWork = false
  return clock.every(everyMs, () => {
    if (isAtWork) {
      return
    }
    isAtWork = true
    const turn = work().finally(() => {
      isAtWork = false
    })
    background(turn, onError)
  })
}

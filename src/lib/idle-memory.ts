import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Clock, Timer } from './clock.ts'

const LOOK_EVERY_MS = 2_000
/** Of one processor, by all threads of the process: less of it is what looking around costs. */
const IDLE_SHARE = 0.05
/** Processor time since memory was last returned: less of it leaves little behind. */
const WORTH_MS = 250

type Collect = (options: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void

export interface Processor {
  /** Processor time of this process so far, ms. */
  readonly usedMs: () => number
  /** Returns what is not needed any more. */
  readonly collect: () => void
}

/**
 * Returns memory once a process that has worked has nothing to do. V8 collects because of new allocations, and in a
 * process that waits there are none: what its last work left behind would stay for hours. Takes 20 to 80 ms.
 */
export function returnMemoryWhenIdle(clock: Pick<Clock, 'every'>, processor = thisProcess()): Timer {
  let lastMs = processor.usedMs()
  let sinceMs = lastMs
  return clock.every(LOOK_EVERY_MS, () => {
    const now = processor.usedMs()
    const isIdle = now - lastMs < LOOK_EVERY_MS * IDLE_SHARE
    lastMs = now
    if (isIdle && now - sinceMs > WORTH_MS) {
      processor.collect()
      lastMs = processor.usedMs()
      sinceMs = lastMs
    }
  })
}

function thisProcess(): Processor {
  // The flag makes contexts that are new have the function; the process's own has none.
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as Collect
  setFlagsFromString('--no-expose-gc')
  return {
    usedMs() {
      const { user, system } = process.cpuUsage()
      return (user + system) / 1_000
    },
    collect: () => gc({ type: 'major', execution: 'sync', flavor: 'last-resort' }),
  }
}

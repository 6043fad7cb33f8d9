import type { CallContext } from './call-context.ts'
import { markGroup } from './leftovers.ts'
import { endGroup, groupGone } from './process-group.ts'

const GRACE_MS = 5_000
/** A program that ended may leave helpers which are just about to end as well. */
const LINGER_MS = 500

export interface HeldGroup extends Disposable {
  /** Ends it now: SIGTERM, then SIGKILL. */
  readonly end: () => void
  /** For when its leader has ended: resolves when all others have too, or cannot be ended. */
  readonly gone: () => Promise<void>
}

interface Held {
  /** The leader, whose number is also the group's. */
  readonly pid: number
  readonly program: string
  readonly context: CallContext
  /** Ends the group when it is aborted. */
  readonly stop: AbortSignal
}

/** A process group that ends with its leader or when `stop` says so, and is noted until it is disposed. */
export function holdGroup({ pid, program, context, stop }: Held): HeldGroup {
  const group = { group: pid, clock: context.clock, graceMs: context.graceMs ?? GRACE_MS }
  const mark = markGroup(pid, context.temporary)
  let ending: Promise<void> | undefined
  function end(): void {
    ending ??= endGroup(group).then(left => {
      if (left === 'stays') {
        context.log?.warn('program.stays', { program, pid })
      }
    })
  }
  stop.addEventListener('abort', end, { once: true })
  if (stop.aborted) {
    end()
  }
  return {
    end,
    async gone() {
      if ((await groupGone({ ...group, graceMs: LINGER_MS })) === 'stays') {
        end()
      }
      await ending
    },
    [Symbol.dispose]() {
      stop.removeEventListener('abort', end)
      mark[Symbol.dispose]()
    },
  }
}

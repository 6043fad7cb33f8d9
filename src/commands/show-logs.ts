import { containerLog, type LogWish } from '#programs/container-log.ts'
import type { ContainerFacts } from '#programs/docker-containers.ts'
import type { Hands } from './command.ts'

export interface ShownLogs {
  /** Those whose last lines are shown. */
  readonly first: readonly ContainerFacts[]
  /** Those that were there when `first` was chosen: the others are not shown. */
  readonly present: readonly ContainerFacts[]
  /** Those that are there now. */
  readonly find: () => Promise<readonly ContainerFacts[]>
  /** Lines of each of `first`. */
  readonly tail: number
  /** Goes on with containers that start meanwhile, from their first line. */
  readonly follow: boolean
  readonly longestMs: number
  readonly say: (container: ContainerFacts, text: string, stream: 'stdout' | 'stderr') => void
}

const LOOK_MS = 500
/** Nothing runs for so long: it was not the pause between two containers of a deployment. */
const PAUSE_MS = 5_000
const SHORT_MS = 60_000
/** The engine notes the start of a container just after it; the run before ended longer ago than this. */
const BEFORE_START_MS = 50

/**
 * Shows what containers print. Who follows an app sees each run of each of its containers once and whole, so nothing is
 * left out or shown twice when a deployment replaces them or the engine starts one again. Gives the number of lines.
 */
export async function showLogs(hands: Hands, wanted: ShownLogs): Promise<number> {
  const { first, present, find, tail, follow, longestMs, say } = wanted
  const runs = new Set(present.map(runOf))
  const ids = new Set(present.map(({ id }) => id))
  const open = new Set<Promise<void>>()
  let lines = 0
  let failure: { readonly error: unknown } | undefined

  async function show(container: ContainerFacts, part: Pick<LogWish, 'tail' | 'since'>): Promise<void> {
    await hands.perform(
      containerLog(hands.host.dockerSocket, {
        id: container.id,
        ...part,
        follow,
        timeoutMs: follow ? longestMs : SHORT_MS,
        onLine: (text, stream) => {
          lines += 1
          say(container, text, stream)
        },
      }),
    )
  }

  function begin(work: Promise<void>): void {
    const noted = work
      .catch(error => {
        failure ??= { error }
      })
      .finally(() => open.delete(noted))
    open.add(noted)
  }

  /** Whether anything is shown, or will be. */
  async function look(): Promise<boolean> {
    const found = await find()
    for (const container of found.filter(each => hasStarted(each) && !runs.has(runOf(each)))) {
      const part = ids.has(container.id) ? { since: justBefore(container.startedAt) } : {}
      runs.add(runOf(container))
      ids.add(container.id)
      // It may be gone by now; an engine in trouble is noticed by the next look.
      begin(show(container, part).catch(() => undefined))
    }
    return open.size > 0 || found.some(({ state }) => state === 'restarting')
  }

  const shown = first.map(container => show(container, { tail }))
  if (!follow) {
    await Promise.all(shown)
    return lines
  }
  shown.forEach(begin)
  for (let idleSince: number | undefined; ; ) {
    await Promise.race([...open, hands.clock.sleep(LOOK_MS, hands.signal)])
    if (failure) {
      throw failure.error
    }
    const now = hands.clock.monotonic()
    idleSince = (await look()) ? undefined : (idleSince ?? now)
    if (idleSince !== undefined && now - idleSince >= PAUSE_MS) {
      return lines
    }
  }
}

function runOf({ id, startedAt }: ContainerFacts): string {
  return `${id} ${startedAt}`
}

/** The engine gives the year 1 to what was only created. */
export function hasStarted({ startedAt }: ContainerFacts): boolean {
  return Date.parse(startedAt) > 0
}

/** In seconds since 1970. */
function justBefore(time: string): string {
  return ((Date.parse(time) - BEFORE_START_MS) / 1000).toFixed(3)
}

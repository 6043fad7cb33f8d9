import { containerUsage, type Usage } from '#commands/container-usage.ts'
import type { UsageDocument } from '#contract/rest/usage.ts'
import { background } from '#lib/background.ts'
import type { Timer } from '#lib/clock.ts'
import { asFairleadError, type FairleadError } from '#lib/errors.ts'
import { newId } from '#lib/id.ts'
import { unknownCommands } from '#manager/agents/unknown-commands.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { engineOf } from '#manager/pipeline/choose-engine.ts'
import { targetNamed } from '#targets/index.ts'
import { USAGE_NOT_AVAILABLE, USAGE_UNKNOWN } from './errors.ts'
import { readApp } from './queries.ts'

type Parts = Pick<ManagerParts, 'db' | 'agents' | 'clock' | 'logger'>

/** Somebody who looks at an app, until the signal says that they have gone. */
export interface UsageViewer {
  readonly signal: AbortSignal
  readonly onLook: (look: UsageDocument) => void
  readonly onProblem: (error: FairleadError) => void
}

/** One of the same name that was made later is another one. */
interface Watchable {
  readonly id: string
  readonly name: string
}

/** Asks workers what apps use, and only while somebody looks: nobody pays for figures that nobody sees. */
export interface UsageWatch {
  /** Gives the looks of the last ten minutes that there are, then each new one. */
  watch(app: Watchable, viewer: UsageViewer): void
}

interface Watched {
  looks: readonly UsageDocument[]
  /** Why the last look saw nothing. */
  problem?: FairleadError | undefined
  readonly viewers: Set<UsageViewer>
  /** Aborted when the last viewer has gone. */
  looking?: AbortController | undefined
  forgetting?: Timer | undefined
}

const EVERY_MS = 5_000
/** How busy a processor is takes two readings: the second one comes soon. */
const SECOND_MS = 1_000
/** Whoever comes back so soon finds what was seen before. */
const KEPT_MS = 10 * 60_000
/** Of the containers of one app, in all looks: about half of what a stream takes at once. */
const MOST_READINGS = 4_000
/** A worker that is away is asked at the next look, not waited for. */
const WAIT_MS = 1_000

export function createUsageWatch(parts: Parts): UsageWatch {
  const { clock, logger } = parts
  const watched = new Map<string, Watched>()

  function leave({ id }: Watchable, viewer: UsageViewer): void {
    const own = watched.get(id)
    if (own?.viewers.delete(viewer) && own.viewers.size === 0) {
      own.looking?.abort()
      own.looking = undefined
      own.forgetting = clock.after(KEPT_MS, () => watched.delete(id))
    }
  }

  return {
    watch(app, viewer) {
      const own = watched.get(app.id) ?? { looks: [], viewers: new Set() }
      watched.set(app.id, own)
      own.forgetting?.close()
      own.viewers.add(viewer)
      for (const look of recent(own.looks, clock.now())) {
        viewer.onLook(look)
      }
      if (own.problem && own.looking) {
        viewer.onProblem(own.problem)
      }
      viewer.signal.addEventListener('abort', () => leave(app, viewer))
      if (viewer.signal.aborted) {
        leave(app, viewer)
        return
      }
      if (!own.looking) {
        own.looking = new AbortController()
        background(lookOn(parts, app.name, { own, signal: own.looking.signal }), error =>
          logger.error('usage.broken', { app: app.name, message: error.message }),
        )
      }
    },
  }
}

/** Looks again and again until nobody looks any more. */
async function lookOn(
  parts: Parts,
  app: string,
  { own, signal }: { readonly own: Watched; readonly signal: AbortSignal },
): Promise<void> {
  const { clock } = parts
  let before: Usage | undefined
  while (!signal.aborted) {
    const isFirst = before === undefined
    try {
      const usage = await ask(parts, app, signal)
      const look = lookOf(usage, before, new Date(clock.now()).toISOString())
      before = usage
      own.problem = undefined
      const most = Math.max(2, Math.floor(MOST_READINGS / Math.max(1, look.containers.length)))
      own.looks = [...recent(own.looks, clock.now()), look].slice(-most)
      for (const viewer of own.viewers) {
        viewer.onLook(look)
      }
    } catch (thrown) {
      before = undefined
      if (!signal.aborted) {
        const error = asFairleadError(thrown)
        own.problem = error
        for (const viewer of own.viewers) {
          viewer.onProblem(error)
        }
      }
    }
    const waitMs = isFirst && before ? SECOND_MS : EVERY_MS
    // It ends early when the last viewer goes, which the loop sees.
    await clock.sleep(waitMs, signal).catch(() => undefined)
  }
}

async function ask({ db, agents }: Parts, name: string, signal: AbortSignal): Promise<Usage> {
  // Each time: it may have moved to another host or engine.
  const app = await readApp(db, name)
  const command = targetNamed(app.target)?.usage
  // Containers of a folder of the host carry no name of an app.
  if (command === undefined || app.stack !== null) {
    throw USAGE_NOT_AVAILABLE(name, app.target)
  }
  if (unknownCommands(agents, app.host, [command]).length > 0) {
    throw USAGE_UNKNOWN(app.host)
  }
  const usage = await agents.tell(app.host, {
    id: newId(),
    command,
    engine: engineOf(app),
    params: { app: name },
    deadlineMs: containerUsage.deadlineMs,
    waitMs: WAIT_MS,
    signal,
  })
  return usage as Usage
}

/** What was used between two readings. */
export function lookOf(now: Usage, before: Usage | undefined, at: string): UsageDocument {
  const earlier = new Map(before?.containers.map(each => [each.id, each]))
  return {
    at,
    containers: now.containers.map(each => ({
      name: each.name,
      processors: processorsBetween(earlier.get(each.id), each),
      memory_bytes: each.memoryBytes,
      memory_limit_bytes: each.memoryLimitBytes,
    })),
    left: now.left,
  }
}

type Reading = Usage['containers'][number]

/** Null: there was none before, or it was started again in between and counts from zero. */
function processorsBetween(before: Reading | undefined, now: Reading): number | null {
  const passed = before ? (now.readAt - before.readAt) * 1e6 : 0
  const used = now.processorNanoseconds - (before?.processorNanoseconds ?? 0)
  return passed > 0 && used >= 0 ? used / passed : null
}

function recent(looks: readonly UsageDocument[], now: number): readonly UsageDocument[] {
  return looks.filter(({ at }) => now - Date.parse(at) < KEPT_MS)
}

import { background } from '#lib/background.ts'
import type { Timer } from '#lib/clock.ts'
import { newestRelease } from '#manager/releases/queries.ts'
import { type FollowContext, followedByApp, lookAtTags } from './follow-images.ts'

/** Looks again and again at the tags that apps follow. Costs nothing while none does. */
export interface ImageFollower {
  /** Finds out which apps there are to look at, and begins. */
  start(): Promise<void>
  /** Begins no new look; resolves when those under way have ended. */
  close(): Promise<void>
}

export interface ImageFollowerOptions extends FollowContext {
  /** From 0 to 1; default Math.random. */
  readonly random?: () => number
}

const TICK_MS = 1_000
const AT_ONCE = 4
/** However short the interval: registries count requests. */
const SOONEST_MS = 10_000
const LONGEST_BACKOFF_MS = 3_600_000

interface Entry {
  readonly everyMs: number
  dueAt: number
  failures: number
}

export function createImageFollower(options: ImageFollowerOptions): ImageFollower {
  const { db, clock, events, logger, random = Math.random } = options
  const entries = new Map<string, Entry>()
  const looking = new Map<string, Promise<void>>()
  let timer: Timer | undefined
  let subscription: { close(): void } | undefined
  let closed = false

  function tick(): void {
    const now = clock.monotonic()
    for (const [app, entry] of entries) {
      if (looking.size >= AT_ONCE || closed) {
        return
      }
      if (entry.dueAt <= now && !looking.has(app)) {
        const work = look(app, entry)
          .catch(error => logger.error('images.broken', { app, message: String(error) }))
          .finally(() => looking.delete(app))
        looking.set(app, work)
      }
    }
  }

  async function look(app: string, entry: Entry): Promise<void> {
    entry.dueAt = clock.monotonic() + jittered(entry.everyMs)
    const { failed, restMs } = await lookAtTags(options, app)
    entry.failures = failed ? entry.failures + 1 : 0
    const backoff = Math.min(entry.everyMs * 2 ** entry.failures, Math.max(LONGEST_BACKOFF_MS, entry.everyMs))
    entry.dueAt = clock.monotonic() + Math.max(jittered(backoff), restMs)
  }

  /** Not all at once, and not in step with anybody else's. */
  function jittered(ms: number): number {
    return ms * (0.9 + 0.2 * random())
  }

  async function readApp(id: string): Promise<void> {
    const followed = followedByApp(await newestRelease(db, id))
    if (!followed || followed.images.length === 0) {
      entries.delete(id)
      return
    }
    const everyMs = Math.max(followed.everyMs, SOONEST_MS)
    if (entries.get(id)?.everyMs !== everyMs) {
      entries.set(id, { everyMs, dueAt: clock.monotonic() + everyMs * random(), failures: 0 })
    }
  }

  async function readAppCalled(name: string): Promise<void> {
    const row = await db.selectFrom('apps').select('id').where('name', '=', name).executeTakeFirst()
    if (row) {
      await readApp(row.id)
    }
  }

  return {
    async start() {
      subscription = events.subscribe(undefined, ({ kind, fields }) => {
        if (kind === 'deployment' && fields.state === 'succeeded' && !closed) {
          background(readAppCalled(String(fields.app)), error =>
            logger.warn('images.not-read', { message: error.message }),
          )
        }
      })
      const rows = await db
        .selectFrom('releases')
        .select('app_id')
        .distinct()
        .where('content', 'like', '%"followed":{%')
        .execute()
      for (const { app_id: app } of rows) {
        await readApp(app)
      }
      timer = clock.every(TICK_MS, tick)
    },
    async close() {
      closed = true
      timer?.close()
      subscription?.close()
      await Promise.all(looking.values())
    },
  }
}

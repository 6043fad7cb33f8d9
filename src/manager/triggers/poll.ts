import type { Kysely } from 'kysely'
import { serverOf } from '#git-hosts/repository-path.ts'
import { background } from '#lib/background.ts'
import type { Timer } from '#lib/clock.ts'
import type { Logger } from '#lib/logger.ts'
import type { Tables } from '#manager/store/tables.ts'
import { type LookContext, lookAtRepository, type ServerHealth } from './look-at-repository.ts'
import { PolledTimes } from './polled-times.ts'
import { ServerTurns } from './server-turns.ts'

/** Looks at every repository from time to time, because Git hosts lose, delay and disable webhooks. */
export interface Poller {
  /** Looks at the repository soon, whatever its schedule and its problems. */
  look(repositoryId: string): void
  forget(repositoryId: string): void
  /** Reads which repositories there are and begins. */
  start(): Promise<void>
  /** Begins no new look; resolves when those under way have ended. */
  close(): Promise<void>
}

export interface PollerOptions extends LookContext {
  readonly logger: Logger
  /** Wakes the queue, after a look requested deployments. */
  readonly wake: () => void
  /** From 0 to 1; default Math.random. */
  readonly random?: () => number
}

const AT_ONCE = 16
const TICK_MS = 1000
/** The first look after a start, so that what was missed meanwhile is found soon and not all at once. */
const FIRST_WITHIN_MS = 30_000
/** Asked for ten times in a row, a repository is looked at once in this time. */
const SOONEST_AGAIN_MS = 5000
/** While the worker is away. */
const SOON_MS = 15_000
/** After a look that could not even be noted: the store is full or locked. */
const BROKEN_MS = 30_000
const LONGEST_BACKOFF_MS = 3_600_000
const NEVER = Number.POSITIVE_INFINITY

interface Entry {
  dueAt: number
  lastAt: number
  /** Name of its Git server, once it is known. */
  server: string
}

export function createPoller(options: PollerOptions): Poller {
  const { clock, db, logger } = options
  const entries = new Map<string, Entry>()
  const running = new Map<string, Promise<void>>()
  const turns = new ServerTurns()
  const polled = new PolledTimes(db)
  /** Those that are due, the longest first; some wait for their server. */
  let due: string[] = []
  let timer: Timer | undefined
  let closed = false

  function tick(): void {
    const now = clock.monotonic()
    due = [...entries]
      .filter(([, entry]) => entry.dueAt <= now)
      .sort(([, one], [, other]) => one.dueAt - other.dueAt)
      .map(([id]) => id)
    fill()
    if (polled.isDue(now)) {
      background(polled.write(now), error =>
        logger.warn('poll.times-not-written', { message: error.message }),
      )
    }
  }

  /** Also after each look, so that a second's worth of looks is not the most that a second can have. */
  function fill(): void {
    const now = clock.monotonic()
    due = due.filter(id => !beginIfFree(id, now))
  }

  function beginIfFree(id: string, now: number): boolean {
    const entry = entries.get(id)
    if (!entry || entry.dueAt > now) {
      return true
    }
    if (closed || running.size >= AT_ONCE || running.has(id) || !turns.isFree(entry.server, now)) {
      return false
    }
    begin(id, entry, now)
    return true
  }

  function begin(id: string, entry: Entry, now: number): void {
    entry.dueAt = NEVER
    entry.lastAt = now
    const end = turns.begin(entry.server, now)
    let health: ServerHealth | undefined
    const look = lookOnce(id, entry)
      .then(found => {
        health = found
      })
      .catch(error => {
        logger.error('poll.broken', { repository: id, message: String(error) })
        entry.dueAt = Math.min(entry.dueAt, clock.monotonic() + BROKEN_MS)
      })
      .finally(() => {
        running.delete(id)
        end(health, clock.monotonic())
        fill()
      })
    running.set(id, look)
  }

  async function lookOnce(id: string, entry: Entry): Promise<ServerHealth | undefined> {
    const row = await db.selectFrom('repositories').selectAll().where('id', '=', id).executeTakeFirst()
    if (!row) {
      entries.delete(id)
      return undefined
    }
    entry.server = serverOf(row.url)
    if (row.stopped !== null) {
      return undefined
    }
    const { failures, next, server } = await lookAtRepository(options, row)
    if (server !== undefined) {
      polled.note(id, clock.now())
    }
    options.wake()
    // A repository that is not polled is still looked at until that worked once: its apps would never be found.
    const everyMs =
      row.poll_seconds > 0 ? row.poll_seconds * 1000 : failures > 0 || next === 'soon' ? SOON_MS : 0
    if (everyMs > 0 && (row.poll_seconds > 0 || row.last_tip === null) && next !== 'never') {
      const wanted = next === 'soon' ? Math.min(everyMs, SOON_MS) : everyMs
      const backedOff = Math.max(wanted, Math.min(wanted * 2 ** failures, LONGEST_BACKOFF_MS))
      // look() may have asked for an earlier one meanwhile.
      entry.dueAt = Math.min(entry.dueAt, clock.monotonic() + backedOff * jitter())
    }
    return server
  }

  function jitter(): number {
    return 0.9 + 0.2 * random()
  }

  function random(): number {
    return (options.random ?? Math.random)()
  }

  return {
    look(id) {
      const entry = entries.get(id) ?? { dueAt: NEVER, lastAt: -SOONEST_AGAIN_MS, server: id }
      entries.set(id, entry)
      entry.dueAt = Math.min(entry.dueAt, Math.max(clock.monotonic(), entry.lastAt + SOONEST_AGAIN_MS))
      if (timer) {
        tick()
      }
    },
    forget: id => void entries.delete(id),
    async start() {
      for (const row of await repositoriesToLookAt(db)) {
        const within = row.poll_seconds > 0 ? Math.min(row.poll_seconds * 1000, FIRST_WITHIN_MS) : 0
        entries.set(row.id, {
          dueAt: clock.monotonic() + within * random(),
          lastAt: -SOONEST_AGAIN_MS,
          server: serverOf(row.url),
        })
      }
      timer = clock.every(TICK_MS, tick)
    },
    async close() {
      closed = true
      timer?.close()
      await Promise.all(running.values())
      await polled.write(clock.monotonic()).catch(error => {
        logger.warn('poll.times-not-written', { message: String(error) })
      })
    },
  }
}

/** Those that are polled, and those whose webhook had asked for a look that an earlier process may not have come to. */
async function repositoriesToLookAt(
  db: Kysely<Tables>,
): Promise<{ id: string; url: string; poll_seconds: number }[]> {
  return await db
    .selectFrom('repositories')
    .select(['id', 'url', 'poll_seconds'])
    .where(eb =>
      eb.or([
        eb('poll_seconds', '>', 0),
        eb('problem', 'is not', null),
        eb.and([eb('auto_apps', '=', 1), eb('last_tip', 'is', null)]),
      ]),
    )
    .execute()
}

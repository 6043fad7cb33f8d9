import { isDeepStrictEqual } from 'node:util'
import { type HostObserved, hostObserve } from '#commands/host-observe.ts'
import { background } from '#lib/background.ts'
import type { Timer } from '#lib/clock.ts'
import { asFairleadError, toWire } from '#lib/errors.ts'
import { newId } from '#lib/id.ts'
import type { Logger } from '#lib/logger.ts'
import type { Agents } from '#manager/agents/agents.ts'
import type { DeploymentsContext } from '#manager/deployments/request.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { knownOf, partOf } from './baseline.ts'
import { engineProblemOf, type Observation, readObserved } from './seen-state.ts'
import { type DriftNews, readBaseline, watchDrift } from './watch-drift.ts'

export interface ObserverParts extends DeploymentsContext {
  readonly agents: Agents
  readonly logger: Logger
  /** Wakes the queue, after a repair was requested. */
  readonly wake: () => void
}

export interface Observer {
  /** Looks at every host now and from then on at each interval, and at a host whenever a deployment on it ended. */
  start(): void
  /** Begins no new look; resolves when those under way have ended. */
  close(): Promise<void>
}

/** States of a deployment that had begun to change what runs, perhaps. */
const ENDED: readonly unknown[] = ['succeeded', 'failed', 'cancelled']

/** A worker that is away is asked at the next look, not waited for. */
const WAIT_MS = 1_000

/** Asks each host's worker, once per interval and host, what really runs. The cost grows with hosts, not with requests. */
export function createObserver(parts: ObserverParts, everyMs: number): Observer {
  const { db, clock, events, logger } = parts
  const looking = new Map<string, Promise<void>>()
  const again = new Set<string>()
  let timer: Timer | undefined
  let subscription: { close(): void } | undefined
  let closed = false

  function look(host: string): void {
    if (closed) {
      return
    }
    if (looking.has(host)) {
      again.add(host)
      return
    }
    const work = observeHost(parts, host)
      .catch(error => logger.error('observe.broken', { host, message: String(error) }))
      .finally(() => {
        looking.delete(host)
        if (again.delete(host)) {
          look(host)
        }
      })
    looking.set(host, work)
  }

  async function lookAtAll(): Promise<void> {
    const hosts = await db.selectFrom('hosts').select('name').where('role', '=', 'worker').execute()
    hosts.forEach(host => void look(host.name))
  }

  async function lookAtHostOf(app: string): Promise<void> {
    const row = await db.selectFrom('apps').select('host').where('name', '=', app).executeTakeFirst()
    if (row) {
      look(row.host)
    }
  }

  function run(work: Promise<void>): void {
    background(work, error => logger.warn('observe.failed', { message: error.message }))
  }

  return {
    start() {
      run(lookAtAll())
      timer = clock.every(everyMs, () => run(lookAtAll()))
      subscription = events.subscribe(undefined, ({ kind, fields }) => {
        if (kind === 'deployment' && ENDED.includes(fields.state) && !closed) {
          run(lookAtHostOf(String(fields.app)))
        }
      })
    },
    async close() {
      closed = true
      timer?.close()
      subscription?.close()
      await Promise.all(looking.values())
    },
  }
}

/** One look: what runs of every app of the host and how it differs from its release, or why that cannot be known. */
export async function observeHost(parts: ObserverParts, host: string): Promise<void> {
  const { db, clock, agents } = parts
  const askedAt = clock.now()
  const baselines = await db.selectFrom('apps').select('baseline').where('host', '=', host).execute()
  let observed: HostObserved
  try {
    const result = await agents.tell(host, {
      id: newId(),
      command: hostObserve.name,
      params: { known: knownOf(baselines.flatMap(each => readBaseline(each) ?? [])) },
      deadlineMs: hostObserve.deadlineMs,
      waitMs: WAIT_MS,
    })
    observed = result as HostObserved
  } catch (thrown) {
    await noteUnseen(parts, host, thrown)
    return
  }
  const now = clock.now()
  const { changed, news } = await inTransaction(db, async transaction => {
    await transaction
      .updateTable('hosts')
      .set({
        ...{ observed_at: askedAt, unseen: null, systems_unseen: observed.systemsProblem ?? null },
        ...enginesColumn(observed),
        cluster: observed.cluster ? JSON.stringify(observed.cluster) : null,
      })
      .where('name', '=', host)
      .execute()
    const apps = await transaction.selectFrom('apps').selectAll().where('host', '=', host).execute()
    const changed: string[] = []
    const news: DriftNews[] = []
    for (const app of apps) {
      if (isOutOfSight(app, observed)) {
        continue
      }
      const seen = partOf(observed, app.name, app)
      const before = readObserved(app)
      const look = { app, seen, before: before?.containers ?? [], askedAt, now }
      news.push(...(await watchDrift({ ...parts, db: transaction }, look)))
      // Writing only what changed keeps a quiet host quiet.
      if (!before || !isDeepStrictEqual(before.containers, seen.containers)) {
        const observation: Observation = { since: now, containers: seen.containers }
        await transaction
          .updateTable('apps')
          .set({ observed: JSON.stringify(observation) })
          .where('id', '=', app.id)
          .execute()
        changed.push(app.name)
      }
    }
    return { changed, news }
  })
  for (const app of changed) {
    parts.events.publish('app', { app, state: 'observed' })
  }
  tellNews(parts, news)
}

/** Of an app on an engine that does not answer nothing is known: least of all that it is gone. */
function isOutOfSight(
  app: { readonly name: string; readonly engine: string | null; readonly target: string },
  { engines = [], systemsProblem, cluster }: HostObserved,
): boolean {
  if (app.target === 'system') {
    const isLost = cluster?.outOfReach.some(({ name }) => name === app.name) ?? false
    return systemsProblem !== undefined || isLost
  }
  return engineProblemOf({ engine: app.engine, engines: JSON.stringify(engines) }) !== undefined
}

function enginesColumn({ engines }: HostObserved): { engines: string | null } {
  return { engines: engines ? JSON.stringify(engines) : null }
}

function tellNews({ events, logger, wake }: ObserverParts, news: readonly DriftNews[]): void {
  for (const { app, state, reason, repairs } of news) {
    events.publish('app', { app, state, reason, repairs })
    const fields = { app, reason, repairs }
    if (state === 'drift-given-up') {
      logger.error('drift.given-up', fields)
    } else {
      logger.info(`drift.${state}`, fields)
    }
    if (state === 'repairing') {
      wake()
    }
  }
}

async function noteUnseen(
  { db, clock, events }: ObserverParts,
  host: string,
  thrown: unknown,
): Promise<void> {
  const error = toWire(asFairleadError(thrown))
  const row = await db.selectFrom('hosts').select('unseen').where('name', '=', host).executeTakeFirst()
  const before = row?.unseen ? (JSON.parse(row.unseen) as { since: number; code: string }) : undefined
  if (before?.code === error.code) {
    return
  }
  await db
    .updateTable('hosts')
    .set({ unseen: JSON.stringify({ ...error, since: clock.now() }) })
    .where('name', '=', host)
    .execute()
  events.publish('host', { name: host, state: 'unseen', code: error.code })
}

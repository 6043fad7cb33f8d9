import type { Selectable } from 'kysely'
import { nextTime, type Schedule } from '#deploy-file/schedule.ts'
import { background } from '#lib/background.ts'
import type { Timer } from '#lib/clock.ts'
import type { Logger } from '#lib/logger.ts'
import { APP_BEING_REMOVED } from '#manager/deployments/errors.ts'
import { type DeploymentsContext, requestDeployment } from '#manager/deployments/request.ts'
import type { AppTable } from '#manager/store/tables.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { lastTime, scheduleOf } from './schedule-times.ts'

/** Requests the deployments whose time has come. */
export interface Scheduler {
  start(): void
  close(): Promise<void>
}

interface SchedulerOptions extends DeploymentsContext {
  readonly logger: Logger
  /** Wakes the queue, after a deployment was requested. */
  readonly wake: () => void
}

type ScheduledApp = Pick<Selectable<AppTable>, 'id' | 'name' | 'schedule' | 'schedule_at'>

const TICK_MS = 5000
/** A time that was missed, while no manager ran, is made up for so long; then the next one is waited for. */
const MADE_UP_FOR_MS = 3_600_000

export function createScheduler(options: SchedulerOptions): Scheduler {
  const { clock, db, logger } = options
  let timer: Timer | undefined
  let looking: Promise<void> | undefined

  function tick(): void {
    looking ??= look().finally(() => {
      looking = undefined
    })
    background(looking, error => logger.error('schedule.broken', { message: error.message }))
  }

  async function look(): Promise<void> {
    const apps = await db
      .selectFrom('apps')
      .select(['id', 'name', 'schedule', 'schedule_at'])
      .where('schedule', 'is not', null)
      .execute()
    for (const app of apps) {
      await runIfDue(options, app)
    }
  }

  return {
    start() {
      timer = clock.every(TICK_MS, tick)
      tick()
    },
    async close() {
      timer?.close()
      await looking?.catch(() => undefined)
    },
  }
}

/** The time and the request are written together: killed at any moment, it runs once or is still to run. */
async function runIfDue(options: SchedulerOptions, app: ScheduledApp): Promise<void> {
  const { clock, db, events, logger, wake } = options
  const schedule = scheduleOf(app)
  const now = clock.now()
  const since = app.schedule_at ?? now
  const next = schedule && nextTime(schedule, since)
  if (!schedule || next === undefined || next > now) {
    return
  }
  const due = lastTime(schedule, { from: Math.max(since, now - MADE_UP_FOR_MS), to: now })
  const isRequested = await inTransaction(db, async transaction => {
    const { numUpdatedRows } = await transaction
      .updateTable('apps')
      .set({ schedule_at: due ?? now })
      .where('id', '=', app.id)
      .where('schedule_at', 'is', app.schedule_at)
      .executeTakeFirst()
    return numUpdatedRows > 0n && due !== undefined
      ? await request({ ...options, db: transaction }, { app, schedule, due })
      : false
  })
  if (due === undefined) {
    logger.warn('schedule.missed', { app: app.name, at: new Date(next).toISOString() })
    events.publish('app', { id: app.id, app: app.name, state: 'schedule-missed', at: next })
  }
  if (isRequested) {
    wake()
  }
}

async function request(
  context: DeploymentsContext,
  { app, schedule, due }: { app: ScheduledApp; schedule: Schedule; due: number },
): Promise<boolean> {
  const by = `${schedule.cron} ${schedule.time_zone}`
  const trigger = { kind: 'schedule', by, detail: new Date(due).toISOString() } as const
  try {
    await requestDeployment(context, { appId: app.id, kind: 'deploy', trigger })
    return true
  } catch (error) {
    if (!APP_BEING_REMOVED.matches(error)) {
      throw error
    }
    return false
  }
}

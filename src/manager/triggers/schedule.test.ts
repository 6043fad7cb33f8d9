import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { nextTime, scheduleFrom } from '#deploy-file/schedule.ts'
import { type LogFields, silentLogger } from '#lib/logger.ts'
import { TestClock } from '#lib/test-clock.ts'
import { addApp, openTestStore, type TestStore } from '#manager/deployments/test-store.ts'
import { storeTurn } from '#manager/store/test-database.ts'
import { createScheduler, type Scheduler } from './schedule.ts'
import { lastTime } from './schedule-times.ts'

const HELSINKI = 'Europe/Helsinki'
const MINUTE = 60_000
const HOUR = 60 * MINUTE

let store: TestStore
let clock: TestClock
let scheduler: Scheduler
let appId: string
let missed: (LogFields | undefined)[]

beforeEach(async () => {
  store = await openTestStore()
  appId = await addApp(store, 'shop')
  missed = []
})

afterEach(async () => {
  await scheduler?.close()
  await store.close()
})

test('at its time an app is deployed, once, and again at the next', async () => {
  await begin('2026-01-05T01:00:00Z', '0 4 * * 1')
  await pass(HOUR - MINUTE)
  assert.deepEqual(await requested(), [])
  await pass(2 * MINUTE)
  assert.deepEqual(await requested(), ['2026-01-05T02:00:00.000Z'])
  await pass(7 * 24 * HOUR)
  assert.deepEqual(await requested(), ['2026-01-05T02:00:00.000Z', '2026-01-12T02:00:00.000Z'])
})

test('a time that the clocks jump over is the moment after, and one that comes twice is the first', async () => {
  await begin('2026-03-28T12:00:00Z', '30 3 * * *')
  await pass(24 * HOUR)
  assert.deepEqual(await requested(), ['2026-03-29T01:00:00.000Z'])
  await restartAt('2026-10-24T12:00:00Z')
  await pass(24 * HOUR)
  assert.deepEqual((await requested()).slice(1), ['2026-10-25T00:30:00.000Z'])
})

test('a time that was missed is made up for within an hour, once, and left out after that', async () => {
  await begin('2026-01-05T01:00:00Z', '0 * * * *', 'UTC')
  await restartAt('2026-01-05T05:40:00Z')
  await pass(MINUTE)
  assert.deepEqual(await requested(), ['2026-01-05T05:00:00.000Z'])
  await restartAt('2026-01-05T05:50:00Z')
  await pass(MINUTE)
  assert.equal((await requested()).length, 1)
  await store.db
    .updateTable('apps')
    .set({ schedule: JSON.stringify({ cron: '0 6 * * *', time_zone: 'UTC' }) })
    .execute()
  await restartAt('2026-01-05T07:01:00Z')
  await pass(MINUTE)
  assert.equal((await requested()).length, 1)
  assert.deepEqual(missed, [{ app: 'shop', at: '2026-01-05T06:00:00.000Z' }])
  await pass(24 * HOUR)
  assert.equal((await requested()).length, 2)
})

test('two that look at once, as after a kill, request one deployment', async () => {
  await begin('2026-01-05T01:59:50Z', '0 4 * * 1')
  const other = create()
  other.start()
  await pass(MINUTE)
  await other.close()
  assert.equal((await requested()).length, 1)
})

test('a clock that was set back runs nothing twice', async () => {
  await begin('2026-01-05T01:59:50Z', '0 4 * * 1')
  await pass(MINUTE)
  await restartAt('2026-01-05T01:30:00Z')
  await pass(HOUR)
  assert.equal((await requested()).length, 1)
})

test('without a time zone a schedule is in UTC', () => {
  const schedule = scheduleFrom({ cron: '0 4 * * *' })
  const day = Date.UTC(2026, 0, 5)
  assert.equal(nextTime(schedule, day), day + 4 * HOUR)
  assert.equal(lastTime(schedule, { from: day, to: day + 72 * HOUR }), day + 52 * HOUR)
})

async function begin(from: string, cron: string, zone = HELSINKI): Promise<void> {
  clock = new TestClock(Date.parse(from))
  const schedule = JSON.stringify(scheduleFrom({ cron, time_zone: zone }))
  await store.db
    .updateTable('apps')
    .set({ schedule, schedule_at: clock.now() })
    .where('id', '=', appId)
    .execute()
  scheduler = create()
  scheduler.start()
}

async function restartAt(time: string): Promise<void> {
  await scheduler.close()
  clock = new TestClock(Date.parse(time))
  scheduler = create()
  scheduler.start()
}

function create(): Scheduler {
  const logger = { ...silentLogger, warn: (_: string, fields?: LogFields) => void missed.push(fields) }
  return createScheduler({ ...store, clock, logger, wake: () => undefined })
}

/** In steps that are cheap to wait for. */
async function pass(ms: number): Promise<void> {
  await settle()
  await clock.pass(ms, async () => {
    if (isNear(clock.now())) {
      await settle()
    }
  })
  await settle()
}

/** Only around full and half hours something may happen. */
function isNear(now: number): boolean {
  return now % (30 * MINUTE) < 10_000
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 30; turn += 1) {
    await storeTurn()
  }
}

/** For which times deployments were requested; each one ends at once. */
async function requested(): Promise<string[]> {
  const rows = await store.db.selectFrom('deployments').select('trigger').orderBy('id').execute()
  await store.db.updateTable('deployments').set({ state: 'succeeded' }).execute()
  return rows.map(({ trigger }) => (JSON.parse(trigger) as { detail: string }).detail)
}

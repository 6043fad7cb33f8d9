import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { silentLogger } from '#lib/logger.ts'
import { TestClock } from '#lib/test-clock.ts'
import { addApp, openTestStore, type TestStore } from '#manager/deployments/test-store.ts'
import { createSealer } from '#manager/secrets/seal.ts'
import { listBackups, requestBackup } from './backups.ts'
import { requestDueBackups } from './due-backups.ts'

const DAY_MS = 86_400_000
const NOON = Date.UTC(2026, 10, 2, 12)
const KEPT = 2
const clock = new TestClock(NOON)
let store: TestStore
let parts: Parameters<typeof requestDueBackups>[0]

before(async () => {
  store = await openTestStore()
  parts = { db: store.db, clock, logger: silentLogger, sealer: createSealer(Buffer.alloc(32, 1)) }
  const app_id = await addApp(store, 'ada', 'system')
  const backup_schedule = JSON.stringify({ cron: '0 4 * * *', keep: KEPT })
  await store.db
    .insertInto('systems')
    .values({ app_id, owner: 'p1', created_at: NOON, backup_schedule, backup_at: NOON })
    .execute()
})
after(() => store.close())

test('R73 a scheduled backup is made once when it is due, and once for all that were missed', async () => {
  await requestDueBackups(parts)
  assert.deepEqual(await states(), [])
  await pass(DAY_MS)
  await requestDueBackups(parts)
  await requestDueBackups(parts)
  assert.deepEqual(await states(), ['making'])
  await pass(5 * DAY_MS)
  await requestDueBackups(parts)
  assert.deepEqual(await states(), ['making', 'making'])
})

test('R73 so many are kept as the schedule says: failed ones and those that people asked for take no place', async () => {
  const { id } = await requestBackup(parts, { system: 'ada', by: 'ada', isScheduled: false })
  const [third = '', second = '', first = ''] = await someMore('kept', 3)
  const [failed = ''] = await someMore('failed', 1)
  await requestDueBackups(parts)
  assert.deepEqual(await states([first, second, third, failed, id]), [
    'going',
    'kept',
    'kept',
    'failed',
    'making',
  ])
  // Of failed ones as many stay.
  await someMore('failed', KEPT)
  await requestDueBackups(parts)
  assert.deepEqual(await states([second, third, failed]), ['kept', 'kept', 'going'])
})

/** Newest first. */
async function someMore(state: 'kept' | 'failed', count: number): Promise<string[]> {
  const ids: string[] = []
  for (let left = count; left > 0; left--) {
    const { id } = await requestBackup(parts, { system: 'ada', by: 'schedule', isScheduled: true })
    await store.db.updateTable('system_backups').set({ state }).where('id', '=', id).execute()
    ids.unshift(id)
  }
  return ids
}

/** Of these, or of all. */
async function states(ids?: readonly string[]): Promise<string[]> {
  const all = await listBackups(store.db, undefined)
  return (ids ?? all.map(({ id }) => id)).map(id => all.find(each => each.id === id)?.state ?? 'gone')
}

async function pass(ms: number): Promise<void> {
  await clock.pass(ms, async () => undefined)
}

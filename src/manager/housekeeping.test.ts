import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { seedApp, type TestServer, testServer } from './api/test-server.ts'
import { forgetOld } from './housekeeping.ts'

const DAY = 24 * 3_600_000
let manager: TestServer
before(async () => {
  manager = await testServer()
})
after(() => manager.close())

test('kept answers and deliveries go when nobody can ask for them any more, not before', async () => {
  const { db } = manager.parts
  const { repository } = await seedApp(manager, 'shop')
  const hook = { id: 'h', repository_id: repository, git_host: 'github', secret_sealed: 's', created_at: 1 }
  await db.insertInto('hooks').values(hook).execute()
  const now = 100 * DAY
  for (const age of [1, 2, 7, 9]) {
    const delivery = {
      hook_id: 'h',
      delivery_id: `${age}`,
      body_sha256: 'b',
      event: 'push',
      state: 'ignored',
      deployments: '[]',
    } as const
    await db
      .insertInto('deliveries')
      .values({ ...delivery, attempts: 1, received_at: now - age * DAY })
      .execute()
    const answer = { token_id: 't', key: `${age}`, request_sha256: 'r', response: null }
    await db
      .insertInto('idempotency')
      .values({ ...answer, created_at: now - age * DAY })
      .execute()
  }
  await forgetOld({ db, clock: { ...manager.parts.clock, now: () => now } })
  const deliveries = await db.selectFrom('deliveries').select('delivery_id').orderBy('delivery_id').execute()
  assert.deepEqual(
    deliveries.map(row => row.delivery_id),
    ['1', '2', '7'],
  )
  assert.deepEqual(
    (await db.selectFrom('idempotency').select('key').execute()).map(row => row.key),
    ['1'],
  )
})

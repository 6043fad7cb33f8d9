import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '#lib/id.ts'
import { TestClock } from '#lib/test-clock.ts'
import { requestDeployment } from '#manager/deployments/request.ts'
import { addApp, openTestStore, type TestStore } from '#manager/deployments/test-store.ts'
import { keysHashOf } from '#targets/system-settings.ts'
import { bringKeys } from './bring-keys.ts'

const MINUTE_MS = 60_000
const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJsYVZ3mFr2d0VvAtvHjRrmhPq9L5yBqRlhAbOKgVnGq ada'
const clock = new TestClock(1_000 * MINUTE_MS)
let store: TestStore
let app: string

before(async () => {
  store = await openTestStore()
  app = await addApp(store, 'ada', 'system')
  const updated_at = clock.now() - MINUTE_MS
  await store.db.updateTable('apps').set({ overrides: '{"keys":[]}', updated_at }).execute()
  await requestDeployment(store, { appId: app, kind: 'deploy', trigger: { kind: 'api', by: 'admin' } })
  await store.db.updateTable('deployments').set({ state: 'failed', finished_at: clock.now() }).execute()
})
after(() => store.close())

async function release(keys: string | undefined): Promise<void> {
  await store.db.deleteFrom('releases').execute()
  await store.db
    .insertInto('releases')
    .values({
      ...{ id: newId(), app_id: app, deployment_id: newId(), commit: '', config_hash: '', target: 'system' },
      ...{ content: JSON.stringify({ keys }), created_at: 1 },
    })
    .execute()
}

async function asked(): Promise<readonly string[]> {
  await bringKeys({ ...store, clock })
  const rows = await store.db.selectFrom('deployments').select('state').orderBy('id').execute()
  return rows.map(({ state }) => state)
}

test('R71 keys that could not be taken out are tried again, and only those, and not at once', async () => {
  await release(keysHashOf({ keys: [KEY] }))
  assert.deepEqual(await asked(), ['failed'])
  await clock.pass(6 * MINUTE_MS, () => Promise.resolve())
  await release(undefined)
  assert.deepEqual(await asked(), ['failed'], 'nothing is known of a release of before')
  await release(keysHashOf({ keys: [] }))
  assert.deepEqual(await asked(), ['failed'], 'it has the keys that are wanted')
  await release(keysHashOf({ keys: [KEY] }))
  assert.deepEqual(await asked(), ['failed', 'queued'])
  assert.deepEqual(await asked(), ['failed', 'queued'], 'it is asked for already')
  await store.db
    .updateTable('deployments')
    .set({ state: 'cancelled', finished_at: clock.now() })
    .where('state', '=', 'queued')
    .execute()
  await clock.pass(5 * MINUTE_MS, () => Promise.resolve())
  assert.deepEqual(await asked(), ['failed', 'cancelled'], 'more and more seldom')
  await clock.pass(5 * MINUTE_MS, () => Promise.resolve())
  assert.deepEqual(await asked(), ['failed', 'cancelled', 'queued'])
})

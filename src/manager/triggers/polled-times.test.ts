import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { addApp, openTestStore, type TestStore } from '#manager/deployments/test-store.ts'
import { PolledTimes } from './polled-times.ts'

let store: TestStore

beforeEach(async () => {
  store = await openTestStore()
  await addApp(store, 'shop')
  await addApp(store, 'blog')
  await addApp(store, 'wiki')
})
afterEach(() => store.close())

async function repositories() {
  return await store.db.selectFrom('repositories').select(['id', 'last_polled_at']).orderBy('id').execute()
}

test('P8 the times of many repositories are one write, and others keep theirs', async () => {
  const [one, two] = (await repositories()).map(({ id }) => id)
  const times = new PolledTimes(store.db)
  times.note(one ?? '', 5)
  times.note(two ?? '', 6)
  times.note(one ?? '', 7)
  assert.ok(times.isDue(20_000))
  await times.write(20_000)
  assert.deepEqual(
    (await repositories()).map(row => row.last_polled_at),
    [7, 6, null],
  )
  times.note(two ?? '', 8)
  assert.ok(!times.isDue(25_000))
  assert.ok(times.isDue(30_000))
})

test('times that could not be written are written later', async () => {
  const [one, two] = (await repositories()).map(({ id }) => id)
  const times = new PolledTimes(store.db)
  times.note(one ?? '', 5)
  await store.db.schema.alterTable('repositories').renameTo('elsewhere').execute()
  await assert.rejects(times.write(20_000))
  await store.db.schema.alterTable('elsewhere').renameTo('repositories').execute()
  times.note(two ?? '', 6)
  await times.write(40_000)
  assert.deepEqual(
    (await repositories()).map(row => row.last_polled_at),
    [5, 6, null],
  )
})

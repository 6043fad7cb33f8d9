import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '#lib/id.ts'
import { addApp, openTestStore, type TestStore } from '#manager/deployments/test-store.ts'
import { type Look, lookAtRepository } from './look-at-repository.ts'

const ONE = 'a'.repeat(40)
const TWO = 'b'.repeat(40)

let store: TestStore
before(async () => {
  store = await openTestStore()
})
after(() => store.close())

test('R80 P6 a tip that a deployment is about to read is not asked for once more, and not lost when it read an older one', async () => {
  const app = await addApp(store, 'shop')
  await store.db.updateTable('repositories').set({ last_tip: ONE }).execute()
  const row = { app_id: app, kind: 'deploy', trigger: '{}', cancel_requested: 0, created_at: 1 } as const
  await store.db
    .insertInto('deployments')
    .values({ ...row, id: newId(), state: 'running' })
    .execute()
  assert.equal((await look()).next, 'soon')
  assert.deepEqual(await states(), ['running'])
  await store.db.updateTable('deployments').set({ commit: ONE }).execute()
  assert.equal((await look()).next, 'as-usual')
  assert.deepEqual(await states(), ['running', 'queued'])
})

/** A look that finds the other commit. */
async function look(): Promise<Look> {
  const repository = await store.db.selectFrom('repositories').selectAll().executeTakeFirstOrThrow()
  const context = { ...store, tip: async () => TWO, discover: async () => [], lookFurther: async () => [] }
  return await lookAtRepository(context, repository)
}

async function states(): Promise<string[]> {
  const rows = await store.db.selectFrom('deployments').select('state').orderBy('id').execute()
  return rows.map(({ state }) => state)
}

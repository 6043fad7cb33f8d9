import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { removeApp } from '#manager/apps/remove-app.ts'
import { finishDeployment } from './finish.ts'
import { listDeployments, listHistory, readDeployment, readDetail } from './queries.ts'
import { requestDeployment } from './request.ts'
import { addApp, openTestStore, type TestStore } from './test-store.ts'

const TRIGGER = { kind: 'api', by: 'ada' } as const
let store: TestStore
before(async () => {
  store = await openTestStore()
})
after(() => store.close())

test('the removal of an app can be read when it is done, with its steps, and so can what was before', async () => {
  const appId = await addApp(store, 'shop')
  const first = await ended(appId, 'deploy')
  const removal = await ended(appId, 'remove')
  const { deployment, steps } = await readDetail(store.db, removal)
  assert.deepEqual([deployment.app, deployment.state, deployment.outcome], ['shop', 'succeeded', 'done'])
  assert.deepEqual(
    steps.map(step => [step.name, step.outcome]),
    [['take-down', { kind: 'done' }]],
  )
  assert.equal((await readDeployment(store.db, first)).kind, 'deploy')
  const history = await listHistory(store.db, { app: 'shop', limit: 10 })
  assert.deepEqual(
    history.map(({ id }) => id),
    [removal, first],
  )
})

test('a new app of the same name begins without deployments, and the list holds those of both by age', async () => {
  const appId = await addApp(store, 'blog')
  const old = [await ended(appId, 'deploy'), await ended(appId, 'remove')]
  await store.db.deleteFrom('repositories').where('name', '=', 'blog').execute()
  const again = await addApp(store, 'blog')
  assert.deepEqual(await listDeployments(store.db, { app: 'blog', limit: 1 }), [])
  const fresh = await ended(again, 'deploy')
  const page = await listHistory(store.db, { app: 'blog', limit: 2 })
  assert.deepEqual(
    page.map(({ id }) => id),
    [fresh, old[1]],
  )
  const next = await listHistory(store.db, { app: 'blog', limit: 2, before: old[1] })
  assert.deepEqual(
    next.map(({ id }) => id),
    [old[0]],
  )
})

test('what was open when an app was forgotten is cancelled, not open for ever', async () => {
  const appId = await addApp(store, 'lost')
  await ended(appId, 'deploy')
  const { id } = await requestDeployment(store, { appId, kind: 'deploy', trigger: TRIGGER })
  const removal = { name: 'lost', version: undefined, by: 'ada', volumes: 'keep', how: 'forget' } as const
  assert.equal(await removeApp(store, removal), undefined)
  const open = await readDeployment(store.db, id)
  assert.equal(open.state, 'cancelled')
  assert.ok(open.finishedAt)
  assert.equal((await listHistory(store.db, { state: 'queued', limit: 10 })).length, 0)
})

/** A deployment that ran one step and succeeded. */
async function ended(appId: string, kind: 'deploy' | 'remove'): Promise<string> {
  const deployment = await requestDeployment(store, { appId, kind, trigger: TRIGGER })
  await store.db
    .insertInto('steps')
    .values({
      deployment_id: deployment.id,
      name: kind === 'remove' ? 'take-down' : 'apply',
      position: 0,
      state: 'done',
      attempt: 1,
      started_at: 1,
      deadline_at: 2,
      finished_at: 2,
      outcome: '{"kind":"done"}',
      error: null,
    })
    .execute()
  await store.db.updateTable('deployments').set({ started_at: 1 }).where('id', '=', deployment.id).execute()
  await finishDeployment(store, deployment, { state: 'succeeded', outcome: 'done' })
  return deployment.id
}

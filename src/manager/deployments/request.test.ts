import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import type { FairleadError } from '#lib/errors.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { listDeployments, readDeployment } from './queries.ts'
import { cancelDeployment, requestDeployment } from './request.ts'
import { addApp, openTestStore, type TestStore } from './test-store.ts'

let store: TestStore
let appId: string

beforeEach(async () => {
  store = await openTestStore()
  appId = await addApp(store, 'shop')
})

afterEach(() => store.close())

const api = { kind: 'api', by: 'test' } as const

test('a request is stored as a queued deployment', async () => {
  const made = await requestDeployment(store, { appId, kind: 'deploy', trigger: api })
  assert.equal(made.state, 'queued')
  assert.deepEqual(await readDeployment(store.db, made.id), made)
})

test('a thousand requests for the tip leave one queued deployment', async () => {
  const made = await Promise.all(
    Array.from({ length: 1000 }, () => requestDeployment(store, { appId, kind: 'deploy', trigger: api })),
  )
  assert.equal(new Set(made.map(deployment => deployment.id)).size, 1)
})

test('a request for another commit supersedes the queued one: the newest want wins', async () => {
  const older = await requestDeployment(store, {
    appId,
    kind: 'deploy',
    trigger: api,
    commit: 'a'.repeat(40),
  })
  const newer = await requestDeployment(store, {
    appId,
    kind: 'deploy',
    trigger: api,
    commit: 'b'.repeat(40),
  })
  assert.equal((await readDeployment(store.db, older.id)).state, 'superseded')
  assert.equal((await readDeployment(store.db, newer.id)).state, 'queued')
})

test('W17 a push while a rollback or a named commit is queued waits behind it and is not lost', async () => {
  const hint = { appId, kind: 'deploy', trigger: { kind: 'webhook', by: 'github' } } as const
  const named = { appId, kind: 'deploy', trigger: api } as const
  const first = await requestDeployment(store, { ...named, commit: 'a'.repeat(40) })
  assert.equal((await requestDeployment(store, hint)).id, first.id)
  const second = await requestDeployment(store, { ...named, kind: 'rollback', release: 'r1' })
  assert.deepEqual(second.thenTrigger, hint.trigger, 'a newer wish takes the push with it')
  assert.equal((await readDeployment(store.db, first.id)).state, 'superseded')
  await cancelDeployment(store, second.id)
  const [behind] = await listDeployments(store.db, { limit: 1 })
  assert.deepEqual(
    [behind?.state, behind?.trigger, behind?.wantedCommit],
    ['queued', hint.trigger, undefined],
  )
})

test('an app that is being removed takes no push that waited', async () => {
  const named = { appId, kind: 'deploy', trigger: api, commit: 'a'.repeat(40) } as const
  const { id } = await requestDeployment(store, named)
  await requestDeployment(store, { appId, kind: 'deploy', trigger: { kind: 'poll', by: 'x' } })
  const removal = await requestDeployment(store, { appId, kind: 'remove', trigger: api })
  assert.equal((await readDeployment(store.db, id)).state, 'superseded')
  assert.equal(removal.thenTrigger, undefined)
})

test('nobody hears of a request before it is on the disk, nor of one that was undone', async () => {
  const heard: string[] = []
  store.events.subscribe(undefined, ({ fields }) => void heard.push(String(fields.state)))
  const outer = inTransaction(store.db, async db => {
    await requestDeployment({ ...store, db }, { appId, kind: 'deploy', trigger: api })
    assert.deepEqual(heard, [])
    throw new Error('no')
  })
  await assert.rejects(outer)
  assert.deepEqual(heard, [])
  await requestDeployment(store, { appId, kind: 'deploy', trigger: api })
  assert.deepEqual(heard, ['queued'])
})

test('a request while one runs waits behind it', async () => {
  const first = await requestDeployment(store, { appId, kind: 'deploy', trigger: api })
  await store.db.updateTable('deployments').set({ state: 'running' }).where('id', '=', first.id).execute()
  const second = await requestDeployment(store, { appId, kind: 'deploy', trigger: api })
  assert.notEqual(second.id, first.id)
  assert.equal(second.state, 'queued')
})

test('the database refuses a second running deployment of one app', async () => {
  const first = await requestDeployment(store, { appId, kind: 'deploy', trigger: api })
  await store.db.updateTable('deployments').set({ state: 'running' }).where('id', '=', first.id).execute()
  const second = await requestDeployment(store, { appId, kind: 'deploy', trigger: api })
  await assert.rejects(
    store.db.updateTable('deployments').set({ state: 'running' }).where('id', '=', second.id).execute(),
  )
})

test('a queued deployment is cancelled at once, an ended one cannot be', async () => {
  const made = await requestDeployment(store, { appId, kind: 'deploy', trigger: api })
  assert.equal((await cancelDeployment(store, made.id)).state, 'cancelled')
  await assert.rejects(cancelDeployment(store, made.id), codeIs('DEPLOYMENT_ENDED'))
})

test('A11 an app that is being removed takes no new deployment', async () => {
  await requestDeployment(store, { appId, kind: 'remove', trigger: api })
  await assert.rejects(
    requestDeployment(store, { appId, kind: 'deploy', trigger: api }),
    codeIs('APP_BEING_REMOVED'),
  )
})

test('deployments are listed newest first, page by page, by app and state', async () => {
  const other = await addApp(store, 'blog')
  const made: string[] = []
  for (const commit of ['a', 'b', 'c']) {
    made.push(
      (await requestDeployment(store, { appId, kind: 'deploy', trigger: api, commit: commit.repeat(40) })).id,
    )
  }
  await requestDeployment(store, { appId: other, kind: 'deploy', trigger: api })
  const page = await listDeployments(store.db, { app: 'shop', limit: 2 })
  assert.deepEqual(
    page.map(item => item.id),
    [made[2], made[1]],
  )
  const next = await listDeployments(store.db, { app: 'shop', before: made[1], limit: 2 })
  assert.deepEqual(
    next.map(item => item.id),
    [made[0]],
  )
  assert.equal((await listDeployments(store.db, { state: 'superseded', limit: 9 })).length, 2)
})

function codeIs(code: string) {
  return (error: unknown) => (error as FairleadError).code === code
}

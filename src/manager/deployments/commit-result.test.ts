import { deepEqual } from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { newId } from '#lib/id.ts'
import type { DeploymentState } from '#manager/store/tables.ts'
import { resultOfCommit } from './commit-result.ts'
import { finishDeployment } from './finish.ts'
import { readDeployment } from './queries.ts'
import { addApp, openTestStore, type TestStore } from './test-store.ts'

const COMMIT = 'c'.repeat(40)

let store: TestStore
let repository: string
let apps: readonly [string, string]

beforeEach(async () => {
  store = await openTestStore()
  apps = [await addApp(store, 'web'), await addApp(store, 'shop')]
  const row = await store.db.selectFrom('apps').select('repository_id').executeTakeFirstOrThrow()
  repository = row.repository_id ?? ''
  await store.db.updateTable('apps').set({ repository_id: repository }).execute()
})
afterEach(async () => await store.close())

interface Row {
  readonly state: DeploymentState
  readonly commit?: string
  readonly kind?: 'deploy' | 'remove'
  /** The deployment that it asked for, because the files are gone. */
  readonly removal?: string
  readonly approved?: true
}

async function add(app: string, { state, commit = COMMIT, kind = 'deploy', removal, approved }: Row) {
  const id = newId()
  const outcome = removal === undefined ? 'deployed' : 'files-gone'
  await store.db
    .insertInto('deployments')
    .values({
      ...{ id, app_id: app, kind, state, trigger: '{}', cancel_requested: 0, created_at: 1 },
      outcome: state === 'succeeded' ? outcome : null,
      commit: state === 'queued' || kind === 'remove' ? null : commit,
      evidence: removal === undefined ? null : JSON.stringify({ commit, why: '', removal }),
      ...(approved ? { approved_hash: 'h', approved_by: 'ada', approved_at: 1 } : {}),
    })
    .execute()
  return id
}

const result = async () => await resultOfCommit(store.db, repository, COMMIT)

test('R43 R58 a commit has failed when one of its deployments has, and each app says how it went', async () => {
  await add(apps[0], { state: 'succeeded' })
  await add(apps[1], { state: 'failed' })
  const { state, deployments, result: said } = await result()
  deepEqual([state, deployments.length], ['failed', 2])
  deepEqual(said, { web: [{ result: `deployed at commit ${COMMIT}` }], shop: [{ error: 'It was failed.' }] })
})

test('R58 the last deployment of an app from the commit counts, and none from other commits', async () => {
  await add(apps[0], { state: 'failed' })
  await add(apps[0], { state: 'succeeded' })
  await add(apps[1], { state: 'superseded' })
  await add(apps[1], { state: 'failed', commit: 'd'.repeat(40) })
  const { state, result: said } = await result()
  deepEqual([state, Object.keys(said)], ['succeeded', ['web']])
})

test('R58 nothing is said to have ended while a deployment is yet to read the branch', async () => {
  deepEqual((await result()).state, 'none')
  await add(apps[0], { state: 'succeeded' })
  await add(apps[1], { state: 'queued' })
  deepEqual((await result()).state, 'running')
})

test('R58 what waits for an approval has not failed; once a person agreed it goes on', async () => {
  await add(apps[0], { state: 'succeeded' })
  const waiting = await add(apps[1], { state: 'waiting' })
  const { state, result: said } = await result()
  deepEqual([state, said.shop], ['waiting', [{ warning: 'It has not ended: it is waiting.' }]])
  const agreed = { approved_hash: 'h', approved_by: 'ada', approved_at: 1 }
  await store.db.updateTable('deployments').set(agreed).where('id', '=', waiting).execute()
  deepEqual((await result()).state, 'running')
  await store.db.updateTable('deployments').set({ state: 'failed' }).where('id', '=', waiting).execute()
  deepEqual((await result()).state, 'failed')
})

test('R58 what failed counts before what waits', async () => {
  await add(apps[0], { state: 'failed' })
  await add(apps[1], { state: 'waiting' })
  deepEqual((await result()).state, 'failed')
})

test('R43 R58 the removal that a commit led to counts until it has ended, and fails the commit when it fails', async () => {
  await add(apps[0], { state: 'succeeded' })
  const removal = await add(apps[1], { state: 'running', kind: 'remove' })
  await add(apps[1], { state: 'succeeded', removal })
  deepEqual((await result()).state, 'running')
  await store.db.updateTable('deployments').set({ state: 'failed' }).where('id', '=', removal).execute()
  const { state, deployments, result: said } = await result()
  deepEqual([state, deployments.includes(removal)], ['failed', true])
  deepEqual(said.shop, [{ error: 'It was failed.' }])
})

test('R58 an app that the commit removed is in its result when it is gone', async () => {
  const removal = await add(apps[1], { state: 'running', kind: 'remove' })
  await add(apps[1], { state: 'succeeded', removal })
  const deployment = await readDeployment(store.db, removal)
  await finishDeployment(store, deployment, { state: 'succeeded', outcome: 'removed' } as never)
  deepEqual(
    await store.db
      .selectFrom('apps')
      .select('name')
      .execute()
      .then(rows => rows.map(({ name }) => name)),
    ['web'],
  )
  const { state, deployments, result: said } = await result()
  deepEqual([state, deployments], ['succeeded', [removal]])
  deepEqual(said, { shop: [{ result: 'removed' }] })
})

test('R58 a commit whose deployments were all superseded has ended, and says so', async () => {
  await add(apps[0], { state: 'superseded' })
  const { state, deployments, result: said } = await result()
  deepEqual([state, deployments.length], ['superseded', 1])
  deepEqual(said, { web: [{ warning: 'A newer deployment took over.' }] })
  const newer = await add(apps[0], { state: 'queued' })
  deepEqual((await result()).state, 'running')
  const read = { state: 'succeeded', commit: 'd'.repeat(40) } as const
  await store.db.updateTable('deployments').set(read).where('id', '=', newer).execute()
  deepEqual((await result()).state, 'superseded')
})

test('R58 a deployment whose app is paused waits for a person, and what failed still counts before it', async () => {
  await add(apps[0], { state: 'succeeded' })
  await add(apps[1], { state: 'queued' })
  await pause(apps[1], 5)
  const { state, result: said } = await result()
  deepEqual([state, said.shop], ['waiting', [{ warning: 'It has not ended: it is queued.' }]])
  await add(apps[0], { state: 'failed' })
  deepEqual((await result()).state, 'failed')
  await pause(apps[1], null)
  deepEqual((await result()).state, 'running')
})

test('R58 what a paused app is to read one day says nothing of a commit that it has deployed', async () => {
  await add(apps[0], { state: 'succeeded' })
  await add(apps[0], { state: 'queued' })
  deepEqual((await result()).state, 'running')
  await pause(apps[0], 5)
  deepEqual((await result()).state, 'succeeded')
  await add(apps[0], { state: 'running' })
  deepEqual((await result()).state, 'running')
})

async function pause(id: string, paused_at: number | null) {
  await store.db.updateTable('apps').set({ paused_at }).where('id', '=', id).execute()
}

import { deepEqual } from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { newId } from '#lib/id.ts'
import { resultOfCommit } from './commit-result.ts'
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

async function add(app: string, state: 'queued' | 'failed' | 'succeeded' | 'superseded', commit = COMMIT) {
  const told = state === 'queued' ? null : commit
  const row = { app_id: app, kind: 'deploy', trigger: '{}', cancel_requested: 0, created_at: 1 } as const
  const outcome = state === 'succeeded' ? 'deployed' : null
  await store.db
    .insertInto('deployments')
    .values({ ...row, id: newId(), state, outcome, commit: told })
    .execute()
}

const result = async () => await resultOfCommit(store.db, repository, COMMIT)

test('R43 R58 a commit has failed when one of its deployments has, and each app says how it went', async () => {
  await add(apps[0], 'succeeded')
  await add(apps[1], 'failed')
  const { state, deployments, result: said } = await result()
  deepEqual([state, deployments.length], ['failed', 2])
  deepEqual(said, { web: [{ result: `deployed at commit ${COMMIT}` }], shop: [{ error: 'It was failed.' }] })
})

test('R58 the last deployment of an app from the commit counts, and none from other commits', async () => {
  await add(apps[0], 'failed')
  await add(apps[0], 'succeeded')
  await add(apps[1], 'superseded')
  await add(apps[1], 'failed', 'd'.repeat(40))
  const { state, result: said } = await result()
  deepEqual([state, Object.keys(said)], ['succeeded', ['web']])
})

test('R58 nothing is said to have ended while a deployment is yet to read the branch', async () => {
  deepEqual((await result()).state, 'none')
  await add(apps[0], 'succeeded')
  await add(apps[1], 'queued')
  deepEqual((await result()).state, 'running')
})

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { newId } from '#lib/id.ts'
import { seedApp, type TestServer, testServer } from './api/test-server.ts'
import { DeploymentLogs } from './deployments/logs.ts'
import { keepPast } from './deployments/past.ts'
import { addApp, openTestStore, type TestStore } from './deployments/test-store.ts'
import { forgetOld, KEPT_IN_FULL } from './housekeeping.ts'
import { deleteSecret, setSecret } from './secrets/queries.ts'
import { createSealer } from './secrets/seal.ts'

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
    const answer = { token_id: 't', key: `${age}`, request_sealed: 'r', response: null }
    await db
      .insertInto('idempotency')
      .values({ ...answer, created_at: now - age * DAY })
      .execute()
    const told = { place: 'report:r', subject: 's', payload: '{}', next_at: 1, created_at: 1 }
    await db
      .insertInto('outbox')
      .values([
        { ...told, id: `${age}`, ended_at: now - age * DAY, result: 'sent' },
        { ...told, id: `${age} open` },
      ])
      .execute()
  }
  await forgetOld({ db, logs: manager.parts.logs, clock: { ...manager.parts.clock, now: () => now } })
  const deliveries = await db.selectFrom('deliveries').select('delivery_id').orderBy('delivery_id').execute()
  assert.deepEqual(
    deliveries.map(row => row.delivery_id),
    ['1', '2', '7'],
  )
  assert.deepEqual(
    (await db.selectFrom('idempotency').select('key').execute()).map(row => row.key),
    ['1'],
  )
  assert.deepEqual(
    (await db.selectFrom('outbox').select('id').orderBy('id').execute()).map(row => row.id),
    ['1', '1 open', '2', '2 open', '7 open', '9 open'],
  )
})

test('W18 the log of the last build stays, whatever many deployments after it did nothing', async () => {
  const store = await openTestStore()
  const logs = new DeploymentLogs(join(store.folder, 'logs'))
  const app = await addApp(store, 'shop')
  const ids: string[] = []
  for (let count = 0; count < KEPT_IN_FULL + 5; count += 1) {
    const outcome = count === 0 ? 'deployed' : 'nothing-to-do'
    ids.push(await addDetailed({ store, logs, app }, { state: 'succeeded', outcome }))
  }
  await forgetOld({ ...store, logs })
  const kept = []
  for (const id of ids) {
    kept.push(...((await Array.fromAsync(logs.read(id))).length > 0 ? [id] : []))
  }
  assert.deepEqual(kept, [ids[0], ...ids.slice(5)])
  await store.close()
})

test('logs and answers are kept of the newest deployments of an app, the records of all', async () => {
  const store = await openTestStore()
  const logs = new DeploymentLogs(join(store.folder, 'logs'))
  const app = await addApp(store, 'shop')
  const ids: string[] = []
  for (let count = 0; count < KEPT_IN_FULL + 5; count += 1) {
    // One that runs for ever is not touched.
    const state = count === 1 ? 'running' : 'succeeded'
    ids.push(await addDetailed({ store, logs, app }, { state }))
  }
  await forgetOld({ ...store, logs })
  const detailed: string[] = []
  for (const id of ids) {
    const lines = await Array.fromAsync(logs.read(id))
    const commands = await store.db
      .selectFrom('commands')
      .select('id')
      .where('deployment_id', '=', id)
      .execute()
    assert.equal(lines.length, commands.length)
    detailed.push(...(lines.length > 0 ? [id] : []))
  }
  assert.deepEqual(detailed, [ids[1], ...ids.slice(5)])
  assert.equal((await store.db.selectFrom('deployments').select('id').execute()).length, ids.length)
  await store.close()
})

test('a log goes with age also where no worker was asked for anything, and that of one at work stays', async () => {
  const store = await openTestStore()
  const logs = new DeploymentLogs(join(store.folder, 'logs'))
  const apps = [await addApp(store, 'refused'), await addApp(store, 'other')]
  const fixed = { kind: 'deploy', trigger: '{}', cancel_requested: 0, created_at: 1 } as const
  const ids: string[] = []
  const add = async (app: string, state: 'failed' | 'waiting') => {
    const id = newId()
    await store.db
      .insertInto('deployments')
      .values({ ...fixed, id, app_id: app, state })
      .execute()
    await logs.append(id, [{ at: 1, step: 'fetch', stream: 'info', text: 'x' }])
    ids.push(id)
  }
  await add(apps[1] ?? '', 'failed')
  for (let count = 0; count < KEPT_IN_FULL + 5; count += 1) {
    await add(apps[0] ?? '', count === 1 ? 'waiting' : 'failed')
  }
  await forgetOld({ ...store, logs })
  assert.deepEqual((await Array.fromAsync(logs.ids())).sort(), [ids[0], ids[2], ...ids.slice(6)])
  await store.close()
})

test('the log of an app that is gone goes with the record of its deployment', async () => {
  const store = await openTestStore()
  const logs = new DeploymentLogs(join(store.folder, 'logs'))
  const app = await addApp(store, 'shop')
  const ids: string[] = []
  for (let count = 0; count < 2; count += 1) {
    ids.push(await addDetailed({ store, logs, app }, { state: 'succeeded' }))
  }
  await keepPast(store.db, { id: app, name: 'shop' }, 1)
  await store.db
    .deleteFrom('past_deployments')
    .where('id', '=', ids[0] ?? '')
    .execute()
  await store.db.deleteFrom('apps').where('id', '=', app).execute()
  await forgetOld({ ...store, logs })
  const left = await Promise.all(ids.map(async id => (await Array.fromAsync(logs.read(id))).length))
  assert.deepEqual(
    left.map(count => count > 0),
    [false, true],
  )
  await store.close()
})

test('each app keeps its own newest ones, however many others have come between', async () => {
  const store = await openTestStore()
  const logs = new DeploymentLogs(join(store.folder, 'logs'))
  const [busy, calm] = [await addApp(store, 'busy'), await addApp(store, 'calm')]
  const ofCalm = await addDetailed({ store, logs, app: calm }, { state: 'succeeded' })
  // More than are looked at together.
  const ids = Array.from({ length: 700 }, () => newId())
  const rows = ids.map(id => ({ id, app_id: busy, state: 'failed' as const }))
  const fixed = { kind: 'deploy', trigger: '{}', cancel_requested: 0, created_at: 1 } as const
  await store.db
    .insertInto('deployments')
    .values(rows.map(row => ({ ...row, ...fixed })))
    .execute()
  const answer = { step: 'build', key: 'build', command: 'image.build', host: 'local', result: '{}' }
  await store.db
    .insertInto('commands')
    .values(
      ids.map(id => ({
        ...{ id: newId(), deployment_id: id, state: 'failed' as const, seq: 0, created_at: 1 },
        ...answer,
      })),
    )
    .execute()
  await forgetOld({ ...store, logs })
  const left = await store.db.selectFrom('commands').select('deployment_id').execute()
  assert.deepEqual(left.map(row => row.deployment_id).sort(), [ofCalm, ...ids.slice(-KEPT_IN_FULL)])
  await store.close()
})

test('revisions of secrets that neither the app nor a release names are deleted, once nothing is at work', async () => {
  const store = await openTestStore()
  const appId = await addApp(store, 'shop')
  const context = { ...store, sealer: createSealer(Buffer.alloc(32, 1)) }
  for (const value of ['one', 'two', 'three']) {
    await setSecret(context, { appId, name: 'WORD', value })
  }
  await setSecret(context, { appId, name: 'GONE', value: 'x' })
  await deleteSecret(store.db, appId, 'GONE')
  const deployment = {
    app_id: appId,
    kind: 'deploy',
    trigger: '{}',
    cancel_requested: 0,
    created_at: 1,
  } as const
  await store.db
    .insertInto('deployments')
    .values({ ...deployment, id: 'd', state: 'running' })
    .execute()
  const release = { app_id: appId, deployment_id: 'd', commit: 'c', config_hash: 'h', content: '{}' }
  await store.db
    .insertInto('releases')
    .values({ ...release, id: 'r', created_at: 1, secrets: JSON.stringify({ WORD: 1 }) })
    .execute()
  const left = async () => {
    await forgetOld({ ...store, logs: manager.parts.logs })
    const rows = await store.db.selectFrom('secret_revisions').selectAll().orderBy('revision').execute()
    return rows.map(row => `${row.name} ${row.revision}`).sort()
  }
  assert.deepEqual(await left(), ['GONE 1', 'WORD 1', 'WORD 2', 'WORD 3'], 'what runs may have read them')
  await store.db.updateTable('deployments').set({ state: 'succeeded' }).execute()
  assert.deepEqual(await left(), ['WORD 1', 'WORD 3'])
  await store.close()
})

interface Place {
  readonly store: TestStore
  readonly logs: DeploymentLogs
  readonly app: string
}

/** A deployment with a log and an answer of the worker. */
async function addDetailed(
  { store, logs, app }: Place,
  state: { readonly state: 'running' | 'succeeded'; readonly outcome?: string },
): Promise<string> {
  const id = newId()
  const fixed = { app_id: app, kind: 'deploy', trigger: '{}', cancel_requested: 0, created_at: 1 } as const
  await store.db
    .insertInto('deployments')
    .values({ id, ...state, ...fixed })
    .execute()
  const command = { step: 'build', key: 'build', command: 'image.build', host: 'local', result: '{}' }
  await store.db
    .insertInto('commands')
    .values({ id: newId(), deployment_id: id, state: 'succeeded', seq: 0, created_at: 1, ...command })
    .execute()
  await logs.append(id, [{ at: 1, step: 'build', stream: 'info', text: 'x' }])
  return id
}

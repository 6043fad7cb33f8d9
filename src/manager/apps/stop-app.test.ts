import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import type { Deployment, Trigger } from '#manager/deployments/deployment.ts'
import { isHalfStoppedApp } from '#manager/deployments/half-stopped.ts'
import { readDeployment } from '#manager/deployments/queries.ts'
import type { Queue } from '#manager/deployments/queue.ts'
import { requestDeployment } from '#manager/deployments/request.ts'
import { addApp, openTestStore, type TestStore } from '#manager/deployments/test-store.ts'
import { createFakeAgents, type FakeAgents, workingAnswers } from '#manager/pipeline/test-agents.ts'
import { openTestQueue } from '#manager/pipeline/test-queue.ts'
import { startApp, stopApp } from './stop-app.ts'

const BY_HAND: Trigger = { kind: 'api', by: 'ada' }
const PUSH: Trigger = { kind: 'webhook', by: 'hook' }

let store: TestStore
let agents: FakeAgents
let appId: string
let queue: Queue
let removals: Record<string, unknown>[]
beforeEach(async () => {
  store = await openTestStore()
  agents = createFakeAgents(workingAnswers())
  agents.answers['image.find'] = () => ({
    images: [{ key: 'shop', localName: `sha256:${'e'.repeat(64)}`, isNamed: true, registry: 'none' }],
  })
  agents.answers['container.remove'] = params => {
    removals.push(params)
    return { removed: [] }
  }
  removals = []
  appId = await addApp(store, 'shop')
  queue = openTestQueue(store, agents)
})
afterEach(async () => {
  await queue.close()
  await store.close()
})

const wanted = { app: 'shop', by: 'ada' }
const stop = () => ended(stopApp(store, wanted))
const start = () => ended(startApp(store, wanted))
const deploy = (trigger: Trigger) => ended(request(trigger))

function request(trigger: Trigger): Promise<Deployment> {
  return requestDeployment(store, { appId, kind: 'deploy', trigger })
}

async function ended(requested: Promise<Deployment>): Promise<Deployment> {
  const { id } = await requested
  queue.wake()
  await queue.idle()
  return await readDeployment(store.db, id)
}

async function stoppedBy(): Promise<string | null> {
  const app = await store.db
    .selectFrom('apps')
    .select(['stopped_at', 'stopped_by'])
    .where('id', '=', appId)
    .executeTakeFirstOrThrow()
  equal(app.stopped_at === null, app.stopped_by === null)
  return app.stopped_by
}

test('a stop ends containers and routes and nothing else, and a start brings the same release back', async () => {
  const first = await deploy(BY_HAND)
  const before = agents.told.length
  const stopped = await stop()
  deepEqual([stopped.kind, stopped.state, stopped.outcome], ['stop', 'succeeded', 'stopped'])
  deepEqual(agents.told.slice(before), ['container.remove', 'route.remove'])
  deepEqual(removals, [{ app: 'shop', keep: [], drainMs: 0 }])
  equal(await stoppedBy(), 'ada')
  const domains = await store.db.selectFrom('domains').select('host').execute()
  ok(domains.length > 0, 'nobody else may take its address')

  const started = await start()
  deepEqual([started.state, started.outcome], ['succeeded', 'deployed'])
  equal(started.wantedRelease, first.releaseId)
  equal(started.commit, first.commit)
  ok(!agents.told.slice(before).includes('image.build'), 'nothing is built')
  equal(await stoppedBy(), null)
})

test('what nobody asks for waits while an app is stopped, and is done when it is started', async () => {
  await deploy(BY_HAND)
  await stop()
  const pushed = await deploy(PUSH)
  equal(pushed.state, 'queued')
  equal(await stoppedBy(), 'ada')
  const started = await start()
  equal(started.state, 'succeeded')
  equal((await readDeployment(store.db, pushed.id)).state, 'superseded')
  const last = await store.db
    .selectFrom('deployments')
    .select(['trigger', 'state'])
    .where('id', '>', started.id)
    .execute()
  deepEqual(
    last.map(({ trigger, state }) => [(JSON.parse(trigger) as Trigger).kind, state]),
    [['webhook', 'succeeded']],
  )
})

test('a push that comes before the stop has begun does not take its place', async () => {
  await deploy(BY_HAND)
  const pushed = await request(PUSH)
  const wish = await stopApp(store, wanted)
  const again = await request(PUSH)
  equal(again.id, wish.id)
  queue.wake()
  await queue.idle()
  equal((await readDeployment(store.db, pushed.id)).state, 'superseded')
  equal((await readDeployment(store.db, wish.id)).outcome, 'stopped')
  equal(await stoppedBy(), 'ada')
  const waiting = await store.db
    .selectFrom('deployments')
    .select('id')
    .where('state', '=', 'queued')
    .execute()
  equal(waiting.length, 1)
})

test('the wish of the files to remove an app goes through a stop', async () => {
  await deploy(BY_HAND)
  const wish = await stopApp(store, wanted)
  const removal = await requestDeployment(store, { appId, kind: 'remove', trigger: PUSH })
  ok(removal.id !== wish.id)
  equal((await ended(Promise.resolve(removal))).outcome, 'removed')
})

test('of an app that is stopped only a removal goes on without a person', async () => {
  await deploy(BY_HAND)
  await stop()
  const removal = await ended(requestDeployment(store, { appId, kind: 'remove', trigger: PUSH }))
  equal(removal.outcome, 'removed')
})

test('who deploys or rolls a stopped app back by hand starts it', async () => {
  await deploy(BY_HAND)
  await stop()
  const deployed = await deploy(BY_HAND)
  deepEqual([deployed.outcome, await stoppedBy()], ['deployed', null])
})

test('a program is told that a stopped app is stopped', async () => {
  await deploy(BY_HAND)
  const wish = await stopApp(store, wanted)
  await rejects(request({ kind: 'ci', by: 'job' }), { code: 'APP_STOPPED' })
  await store.db.updateTable('deployments').set({ state: 'running' }).where('id', '=', wish.id).execute()
  await rejects(request({ kind: 'ci', by: 'job' }), { code: 'APP_STOPPED' }, 'nor while it is being stopped')
  await store.db.updateTable('deployments').set({ state: 'queued' }).where('id', '=', wish.id).execute()
  await ended(Promise.resolve(wish))
  await rejects(request({ kind: 'signed', by: 'v2' }), { code: 'APP_STOPPED' })
})

test('a stop that fails leaves the app as one that runs, a start that fails as one that is stopped', async () => {
  await deploy(BY_HAND)
  const remove = agents.answers['container.remove']
  agents.answers['container.remove'] = () => {
    throw new Error('the engine is away')
  }
  const failed = await stop()
  deepEqual([failed.state, failed.failedStep, await stoppedBy()], ['failed', 'stop', null])
  ok(await isHalfStoppedApp(store.db, appId), 'nobody knows what of it comes back with its engine')
  if (remove) {
    agents.answers['container.remove'] = remove
  }
  await deploy(BY_HAND)
  ok(!(await isHalfStoppedApp(store.db, appId)))
  await stop()
  agents.answers['container.start'] = () => {
    throw new Error('no memory')
  }
  const notStarted = await start()
  deepEqual([notStarted.state, notStarted.failedStep, await stoppedBy()], ['failed', 'apply', 'ada'])
})

test('what cannot be stopped or started is refused with what to do', async () => {
  await rejects(stopApp(store, wanted), { code: 'APP_NOT_RELEASED' })
  await deploy(BY_HAND)
  await rejects(startApp(store, wanted), { code: 'APP_NOT_STOPPED' })
  for (const [set, hint] of [
    [{ target: 'system' }, /fairlead systems stop shop/],
    [{ target: 'image' }, /Remove the app/],
    [{ target: 'container', stack: 'wiki' }, /docker compose stop/],
  ] as const) {
    await store.db.updateTable('apps').set(set).where('id', '=', appId).execute()
    await rejects(stopApp(store, wanted), (error: { code: string; hint: string }) => {
      equal(error.code, 'APP_NOT_STOPPABLE')
      return hint.test(error.hint)
    })
  }
})

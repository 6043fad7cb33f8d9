import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { readDeployment } from '#manager/deployments/queries.ts'
import type { Queue } from '#manager/deployments/queue.ts'
import { requestDeployment } from '#manager/deployments/request.ts'
import { addApp, openTestStore, type TestStore } from '#manager/deployments/test-store.ts'
import { createFakeAgents, type FakeAgents, workingAnswers } from './test-agents.ts'
import { openTestQueue } from './test-queue.ts'

const FIRST = 'c'.repeat(40)
const SECOND = '2'.repeat(40)

let store: TestStore
let agents: FakeAgents
let appId: string
let queue: Queue
/** What the fake host runs: the last container that was started. */
let running: Record<string, unknown> | undefined
let fault: string | null
/** Commits that the worker was told are known. */
let known: unknown[]

beforeEach(async () => {
  store = await openTestStore()
  running = undefined
  fault = null
  known = []
  agents = createFakeAgents(workingAnswers())
  appId = await addApp(store, 'shop')
  const { answers } = agents
  const start = answers['container.start']
  Object.assign(answers, {
    'container.start': (params: Record<string, unknown>, options: never) => {
      running = params
      return start?.(params, options)
    },
    'container.observe': () => ({ containers: running ? [observed(running)] : [] }),
    'route.observe': () => ({
      routes: {
        shop: running
          ? { hosts: ['shop.localhost'], port: 8080, ip: '10.213.0.17', deployment: running.deployment }
          : null,
      },
    }),
    'route.verify': () => ({
      routes: {
        shop: { fault, answers: [{ host: 'shop.localhost', scheme: 'http', status: 200, ms: 1 }], tls: [] },
      },
    }),
  })
  queue = openTestQueue(store, agents)
})

afterEach(async () => {
  await queue.close()
  await store.close()
})

async function deploy(commit = FIRST) {
  const { answers } = agents
  const checkout = workingAnswers()['repository.checkout']
  answers['repository.checkout'] = (params, options) => {
    known.push(params.known)
    return { ...(checkout?.(params, options) as object), commit }
  }
  const trigger = { kind: 'api', by: 'test' } as const
  const { id } = await requestDeployment(store, { appId, kind: 'deploy', trigger })
  queue.wake()
  await queue.idle()
  return await readDeployment(store.db, id)
}

const releases = () => store.db.selectFrom('releases').selectAll().orderBy('id').execute()

test('P5 what runs already is asked as a visitor asks, and neither built nor started again', async () => {
  await deploy()
  agents.told.length = 0
  const again = await deploy()
  assert.equal(again.outcome, 'nothing-to-do')
  assert.deepEqual(agents.told.toSorted(), [
    'container.observe',
    'image.content',
    'repository.checkout',
    'route.observe',
    'route.verify',
  ])
  assert.match(JSON.stringify(again.evidence), /"answers":\[\{"host":"shop\.localhost"/)
})

test('a later commit that wants the same shows as the one that runs, with the deployment that saw it', async () => {
  const first = await deploy()
  const second = await deploy(SECOND)
  assert.equal(second.outcome, 'nothing-to-do')
  assert.equal(second.releaseId, first.releaseId)
  const all = await releases()
  assert.deepEqual(
    all.map(row => [row.commit, row.confirmed_commit, row.confirmed_by]),
    [[FIRST, SECOND, second.id]],
  )
  await deploy(SECOND)
  assert.deepEqual(known, [undefined, FIRST, SECOND])
})

test('what runs without a release gets one', async () => {
  await deploy()
  await store.db.deleteFrom('releases').execute()
  const found = await deploy(SECOND)
  assert.equal(found.outcome, 'nothing-to-do')
  assert.deepEqual(
    (await releases()).map(row => [row.id, row.commit]),
    [[found.releaseId, SECOND]],
  )
})

test('a container that runs but does not answer is replaced, not called fine', async () => {
  await deploy()
  fault = 'http://shop.localhost/ does not answer as it should: status 502'
  const again = await deploy()
  assert.equal(again.outcome, 'deployed')
  assert.equal((await releases()).length, 2)
})

test('a container that somebody changed is replaced whoever asks for the deployment, which keeps what it went by', async () => {
  await deploy()
  const finding = { kind: 'settings', what: 'shop-1', reason: 'changed', container: 'f'.repeat(64), since: 1 }
  const drift = JSON.stringify({ findings: [finding], repairs: [], givenUpAt: null })
  await store.db.updateTable('apps').set({ drift }).execute()
  const again = await deploy()
  assert.equal(again.outcome, 'deployed')
  assert.deepEqual(again.drifted, { containers: ['f'.repeat(64)], routes: [], files: [] })
})

test('what the deploy file wants done about drift is known once it was read', async () => {
  const app = () => store.db.selectFrom('apps').select('on_drift').executeTakeFirstOrThrow()
  await deploy()
  assert.equal((await app()).on_drift, 'report')
  const { answers } = agents
  const checkout = workingAnswers()['repository.checkout']
  answers['repository.checkout'] = (params, options) => ({
    ...(checkout?.(params, options) as object),
    paths: ['Dockerfile', 'fairlead.yaml'],
    texts: {
      Dockerfile: 'FROM scratch\nEXPOSE 8080\n',
      'fairlead.yaml': 'version: 1\napps: { shop: { target: container, port: 8080, drift: repair } }\n',
    },
  })
  await requestDeployment(store, { appId, kind: 'deploy', trigger: { kind: 'api', by: 'test' } })
  queue.wake()
  await queue.idle()
  assert.equal((await app()).on_drift, 'repair')
})

function observed({ deployment, configHash, commit }: Record<string, unknown>) {
  return {
    ...{ id: 'f'.repeat(64), name: 'shop-1', deployment, configHash, commit, state: 'running' },
    ...{ health: 'none', exitCode: 0, restarts: 0, image: 'x', imageId: 'y', ip: '10.213.0.17' },
    ...{ startedAt: '2026-11-20T12:00:00Z', serving: true },
  }
}

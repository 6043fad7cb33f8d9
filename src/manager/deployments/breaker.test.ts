import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { PROBLEM_OUTBOX, toldMessages } from '#manager/outbox/test-outbox.ts'
import { createFakeAgents, type FakeAgents, workingAnswers } from '#manager/pipeline/test-agents.ts'
import { openTestQueue } from '#manager/pipeline/test-queue.ts'
import { resumeApp } from './breaker.ts'
import type { Trigger } from './deployment.ts'
import { LOOP_WINDOW_MS } from './loop-window.ts'
import { readDeployment } from './queries.ts'
import type { Queue } from './queue.ts'
import { requestDeployment } from './request.ts'
import { addApp, openTestStore, type TestStore } from './test-store.ts'

const PUSH = { kind: 'webhook', by: 'github' } as const
const PERSON = { kind: 'api', by: 'ada' } as const
const MOST = 5

let store: TestStore
let agents: FakeAgents
let appId: string
let queue: Queue
let heard: unknown[]

beforeEach(async () => {
  store = await openTestStore()
  heard = []
  store.events.subscribe(undefined, ({ kind, fields }) => kind === 'app' && heard.push(fields.state))
  agents = createFakeAgents(workingAnswers())
  appId = await addApp(store, 'shop')
  queue = openTestQueue(store, agents, { mostUnattended: MOST })
})

afterEach(async () => {
  await queue.close()
  await store.close()
})

test('an app that is deployed again and again without a person is paused, and the next push stays queued', async () => {
  await deploySome(MOST)
  const held = await deploy(PUSH)
  assert.equal(held.state, 'queued')
  assert.deepEqual(heard, ['paused'])
  const joined = await deploy(PUSH)
  assert.deepEqual([joined.id, joined.state], [held.id, 'queued'])
  assert.deepEqual(heard, ['paused'])
})

test('a pause is told once to those who want to hear of problems', async () => {
  await queue.close()
  store = { ...store, outbox: PROBLEM_OUTBOX }
  queue = openTestQueue(store, agents, { mostUnattended: MOST })
  await deploySome(MOST)
  const held = await deploy(PUSH)
  await deploy(PUSH)
  const told = await toldMessages(store.db)
  assert.deepEqual(
    told.map(({ event, app, title, deployment, next }) => [event, app, title, deployment, next]),
    [['problem', 'shop', 'shop is paused', held.id, 'fairlead apps resume shop']],
  )
})

test('a pause outlives the manager', async () => {
  await deploySome(MOST)
  const held = await deploy(PUSH)
  await queue.close()
  queue = openTestQueue(store, agents, { mostUnattended: MOST })
  queue.wake()
  await queue.idle()
  assert.equal((await readDeployment(store.db, held.id)).state, 'queued')
})

test('"resume" lets what is queued go on, and counts anew', async () => {
  await deploySome(MOST)
  const held = await deploy(PUSH)
  await resumeApp(store, { id: appId, name: 'shop' })
  await ended(held.id)
  assert.deepEqual(heard, ['paused', 'resumed'])
  await deploySome(MOST - 1)
  assert.equal((await deploy(PUSH)).state, 'queued')
})

test('a person who deploys resumes it, with the push that was held', async () => {
  await deploySome(MOST)
  const held = await deploy(PUSH)
  const wanted = await deploy(PERSON)
  assert.deepEqual([wanted.id, wanted.trigger.kind], [held.id, 'api'])
  await ended(held.id)
  await deploySome(MOST)
  assert.equal((await deploy(PUSH)).state, 'queued')
})

test('a program that asks (ci) is no person: it neither resumes an app nor makes the count begin anew', async () => {
  const program = { kind: 'ci', by: 'robot' } as const
  await deploySome(MOST, program)
  const held = await deploy(program)
  assert.equal(held.state, 'queued')
  const again = await deploy(program)
  assert.deepEqual([again.id, again.state], [held.id, 'queued'])
  assert.deepEqual(heard, ['paused'])
  const wanted = await deploy(PERSON)
  assert.deepEqual([wanted.id, wanted.trigger], [held.id, PERSON])
  await ended(held.id)
})

test('signed calls are not counted, and start while there is no pause', async () => {
  await deploySome(MOST - 1)
  await deploySome(MOST + 1, { kind: 'signed', by: 'v1' })
  await deploySome(1)
  assert.equal((await deploy(PUSH)).state, 'queued')
  assert.equal((await deploy({ kind: 'signed', by: 'v1' })).state, 'queued')
})

test('an end without effect does not count, whichever it is', async () => {
  await deploySome(MOST)
  for (const outcome of [
    'nothing-to-do',
    'unaffected',
    'own-commit',
    'skipped-by-message',
    'held-by-rollback',
  ]) {
    await store.db.updateTable('deployments').set({ outcome }).execute()
    assert.equal((await deploy(PUSH)).state, 'succeeded', outcome)
  }
  await store.db.updateTable('deployments').set({ outcome: 'deployed' }).execute()
  assert.equal((await deploy(PUSH)).state, 'queued')
})

test('what touched nothing, what a person wanted and what is long ago does not count', async () => {
  await deploySome(MOST - 1)
  await deploySome(1, PERSON)
  await deploySome(MOST - 1)
  await store.db.updateTable('deployments').set({ outcome: 'unaffected' }).execute()
  await deploySome(MOST)
  const longAgo = store.clock.now() - LOOP_WINDOW_MS
  await store.db.updateTable('deployments').set({ started_at: longAgo }).execute()
  await deploySome(MOST)
  assert.deepEqual(heard, [])
})

async function deploySome(count: number, trigger: Trigger = PUSH): Promise<void> {
  for (let done = 0; done < count; done += 1) {
    const { id, state } = await deploy(trigger)
    assert.equal(state, 'succeeded', id)
  }
}

/** Each time something else runs, or the deployment would have nothing to do. */
async function deploy(trigger: Trigger) {
  const { id } = await requestDeployment(store, { appId, kind: 'deploy', trigger })
  queue.wake()
  await queue.idle()
  return await readDeployment(store.db, id)
}

async function ended(id: string): Promise<void> {
  while ((await readDeployment(store.db, id)).finishedAt === undefined) {
    queue.wake()
    await store.clock.sleep(20)
  }
}

import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { readDeployment } from '#manager/deployments/queries.ts'
import type { Queue } from '#manager/deployments/queue.ts'
import { requestDeployment } from '#manager/deployments/request.ts'
import { addApp, openTestStore, type TestStore } from '#manager/deployments/test-store.ts'
import { createFakeAgents, type FakeAgents, workingAnswers } from '#manager/pipeline/test-agents.ts'
import { openTestQueue } from '#manager/pipeline/test-queue.ts'
import { newestRelease } from '#manager/releases/queries.ts'
import { continueIds } from '#manager/store/continue-ids.ts'
import { ignoreReferences } from '#manager/store/test-database.ts'
import { rollBack } from './roll-back.ts'

let store: TestStore
let agents: FakeAgents
let appId: string
let queue: Queue
beforeEach(async () => {
  store = await openTestStore()
  agents = createFakeAgents(workingAnswers())
  appId = await addApp(store, 'shop')
  queue = openTestQueue(store, agents)
  await deploy('1')
  await deploy('2')
})
afterEach(async () => {
  await queue.close()
  await store.close()
})

const oneBack = () => rollBack(store, { app: 'shop', release: undefined, by: 'ada' })

async function request(commit: string): Promise<string> {
  const checkout = workingAnswers()['repository.checkout']
  agents.answers['repository.checkout'] = (...told) => ({
    ...(checkout?.(...told) as object),
    commit: commit.repeat(40),
  })
  const { id } = await requestDeployment(store, {
    appId,
    kind: 'deploy',
    trigger: { kind: 'api', by: 'ada' },
  })
  queue.wake()
  return id
}

async function deploy(commit: string): Promise<void> {
  const id = await request(commit)
  await queue.idle()
  assert.equal((await readDeployment(store.db, id)).state, 'succeeded')
}

/** A rollback is asked for while the third deployment is at this command. Gives the commit that it led to. */
async function backWhile(command: string, end: 'succeeded' | 'failed'): Promise<string | undefined> {
  const reached = Promise.withResolvers<void>()
  const gate = Promise.withResolvers<void>()
  const works = agents.answers[command]
  agents.answers[command] = async (...told) => {
    reached.resolve()
    await gate.promise
    if (end === 'failed') {
      throw new Error('sick')
    }
    return works?.(...told)
  }
  const third = await request('3')
  await reached.promise
  const { id } = await oneBack()
  gate.resolve()
  if (works) {
    agents.answers[command] = works
  }
  queue.wake()
  await queue.idle()
  assert.equal((await readDeployment(store.db, third)).state, end)
  const { commit, wantedCommit } = await readDeployment(store.db, id)
  assert.equal(commit, wantedCommit)
  return commit?.[0]
}

test('a rollback leads back by one', async () => {
  const { wantedCommit } = await oneBack()
  assert.equal(wantedCommit?.[0], '1')
})

for (const command of ['container.start', 'route.point', 'repository.forget']) {
  test(`a rollback that is asked for in ${command} of a new version leads back from that one`, async () => {
    assert.equal(await backWhile(command, 'succeeded'), '2')
  })
}

test('a rollback that is asked for while a new version comes into service leads no further back when that fails by itself', async () => {
  assert.equal(await backWhile('route.point', 'failed'), '2')
})

test('a rollback that is asked for during a build leads back from what runs when it begins', async () => {
  assert.equal(await backWhile('image.build', 'succeeded'), '2')
})

test('a rollback that is asked for during a build that fails leads back from what runs still', async () => {
  assert.equal(await backWhile('image.build', 'failed'), '1')
})

test('a rollback that is asked for while an older release comes back leads to what served before that', async () => {
  await deploy('3')
  agents.answers['image.find'] = () => ({
    images: [{ key: 'shop', localName: `sha256:${'e'.repeat(64)}`, isNamed: true, registry: 'none' }],
  })
  const [oldest] = await store.db.selectFrom('releases').select('id').orderBy('id').execute()
  const reached = Promise.withResolvers<void>()
  const gate = Promise.withResolvers<void>()
  const works = agents.answers['repository.forget']
  agents.answers['repository.forget'] = async (...told) => {
    reached.resolve()
    await gate.promise
    return works?.(...told)
  }
  await rollBack(store, { app: 'shop', release: oldest?.id ?? '', by: 'ada' })
  queue.wake()
  await reached.promise
  const { id } = await oneBack()
  gate.resolve()
  queue.wake()
  await queue.idle()
  assert.equal((await readDeployment(store.db, id)).commit?.[0], '3')
})

test('what was deployed while the clock was ahead is not taken for the newest after the next start', async () => {
  const ahead = `${(Date.now() + 3_600_000).toString(16).padStart(12, '0')}`
  const id = `${ahead.slice(0, 8)}-${ahead.slice(8)}-7000-8000-000000000000`
  await ignoreReferences(store.db)
  await store.db.updateTable('releases').set({ id }).where('commit', 'like', '2%').execute()
  await continueIds(store.db)
  await deploy('3')
  assert.equal((await newestRelease(store.db, appId))?.commit?.[0], '3')
  assert.equal((await oneBack()).wantedCommit?.[0], '2')
})

test('a rollback that is asked for twice leads back by one', async () => {
  const reached = Promise.withResolvers<void>()
  const gate = Promise.withResolvers<void>()
  const observe = agents.answers['container.observe']
  agents.answers['container.observe'] = async (...told) => {
    reached.resolve()
    await gate.promise
    return observe?.(...told)
  }
  await oneBack()
  queue.wake()
  await reached.promise
  const { id } = await oneBack()
  gate.resolve()
  queue.wake()
  await queue.idle()
  assert.equal((await readDeployment(store.db, id)).commit?.[0], '1')
})

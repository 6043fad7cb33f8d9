import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeAgents, workingAnswers } from '#manager/pipeline/test-agents.ts'
import { openTestQueue } from '#manager/pipeline/test-queue.ts'
import { collectDetail } from './alone.ts'
import { readDeployment } from './queries.ts'
import type { Queue } from './queue.ts'
import { requestDeployment } from './request.ts'
import { addApp, openTestStore, type TestStore } from './test-store.ts'

test('a collection begins only when nothing is at work, and nothing begins beside it', async () => {
  await using scene = await open()
  const first = await scene.request('first')
  scene.queue.wake()
  await scene.started(1)
  const alone = await scene.request('registry', collectDetail())
  const other = await scene.request('other')
  scene.queue.wake()
  await scene.started(2)
  assert.deepEqual(await scene.states(first, alone, other), ['running', 'queued', 'running'])
  scene.letGo()
  await scene.started(3)
  assert.deepEqual(await scene.states(first, alone, other), ['succeeded', 'running', 'succeeded'])
  const late = await scene.request('late')
  scene.queue.wake()
  await scene.looked()
  assert.deepEqual(await scene.states(alone, late), ['running', 'queued'])
  scene.letGo()
  await scene.started(4)
  scene.letGo()
  await scene.queue.idle()
  assert.deepEqual(await scene.states(late), ['succeeded'])
})

test('nothing begins on a host that is held, and what waited begins when it is let go', async () => {
  await using scene = await open()
  const held = await scene.queue.hold('local')
  assert.equal(held.atWork, 0)
  const id = await scene.request('shop')
  scene.queue.wake()
  await scene.looked()
  assert.deepEqual(await scene.states(id), ['queued'])
  held.release()
  await scene.started(1)
  assert.equal((await scene.queue.hold('local')).atWork, 1)
  scene.letGo()
  await scene.queue.idle()
  assert.deepEqual(await scene.states(id), ['succeeded'])
})

/** A queue whose deployments stop at their checkout until they are let go. */
async function open() {
  const store: TestStore = await openTestStore()
  const answers = workingAnswers()
  const agents = createFakeAgents(answers)
  let begun = 0
  let waiting: (() => void)[] = []
  const checkout = agents.answers['repository.checkout']
  agents.answers['repository.checkout'] = async (params, options) => {
    begun += 1
    await new Promise<void>(done => waiting.push(done))
    return await checkout?.(params, options)
  }
  const queue: Queue = openTestQueue(store, agents)
  const until = async (isIt: () => boolean) => {
    for (let tries = 0; !isIt(); tries++) {
      assert.ok(tries < 3_000, 'in vain')
      await store.clock.sleep(10)
    }
  }
  return {
    queue,
    async request(name: string, detail?: string) {
      const trigger = { kind: 'api', by: 'test', ...(detail === undefined ? {} : { detail }) } as const
      const appId = await addApp(store, name)
      return (await requestDeployment(store, { appId, kind: 'deploy', trigger })).id
    },
    states: async (...ids: string[]) =>
      await Promise.all(ids.map(async id => (await readDeployment(store.db, id)).state)),
    started: (count: number) => until(() => begun >= count && waiting.length > 0),
    /** What the queue decides about what is there now is decided. */
    async looked() {
      const { release } = await queue.hold('nowhere')
      release()
      await (await queue.hold('nowhere')).release()
    },
    letGo() {
      const now = waiting
      waiting = []
      for (const done of now) {
        done()
      }
    },
    async [Symbol.asyncDispose]() {
      await queue.close()
      await store.close()
    },
  }
}

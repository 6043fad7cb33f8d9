import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { systemClock } from '#lib/clock.ts'
import { INTERNAL } from '#lib/errors.ts'
import { silentLogger } from '#lib/logger.ts'
import type { ManagerEvent } from '#manager/deployments/events.ts'
import { addApp, openTestStore, type TestStore } from '#manager/deployments/test-store.ts'
import { createFakeAgents, type FakeAgents } from '#manager/pipeline/test-agents.ts'
import { partOf } from './baseline.ts'
import { createObserver, observeHost } from './observer.ts'
import { aHost } from './test-seen.ts'

const HOST = aHost()
const SEEN = partOf(HOST, 'shop').containers

let store: TestStore
let agents: FakeAgents
let told: ManagerEvent[]
let now: number

beforeEach(async () => {
  store = await openTestStore()
  now = 1_000
  told = []
  agents = createFakeAgents({ 'host.observe': () => HOST })
  await addApp(store, 'shop')
  await addApp(store, 'blog')
  const host = { name: 'local', role: 'worker', address: 'x:1', identity: '{}', created_at: 1 } as const
  await store.db.insertInto('hosts').values(host).execute()
  store.events.subscribe(undefined, event => void told.push(event))
})

afterEach(() => store.close())

async function look(): Promise<void> {
  const clock = { ...systemClock, now: () => now }
  await observeHost({ ...store, clock, agents, logger: silentLogger, wake: () => undefined }, 'local')
}

const app = (name: string) =>
  store.db.selectFrom('apps').select('observed').where('name', '=', name).executeTakeFirstOrThrow()
const host = () => store.db.selectFrom('hosts').selectAll().executeTakeFirstOrThrow()

test('P9 one question tells of all apps of a host, each its own containers', async () => {
  await look()
  assert.deepEqual(agents.told, ['host.observe'])
  assert.deepEqual(JSON.parse((await app('shop')).observed ?? ''), { since: 1_000, containers: SEEN })
  assert.deepEqual(JSON.parse((await app('blog')).observed ?? ''), { since: 1_000, containers: [] })
  assert.deepEqual([(await host()).observed_at, (await host()).unseen], [1_000, null])
})

test('a quiet hour changes no app and tells nobody anything', async () => {
  await look()
  told.length = 0
  const before = await app('shop')
  for (let minute = 0; minute < 60; minute++) {
    now += 60_000
    await look()
  }
  assert.deepEqual(await app('shop'), before)
  assert.deepEqual(told, [])
  assert.equal((await host()).observed_at, now)
})

test('a container that is gone is seen gone, and told once', async () => {
  await look()
  told.length = 0
  agents.answers['host.observe'] = () => ({ ...HOST, containers: [] })
  now += 60_000
  await look()
  await look()
  assert.deepEqual(JSON.parse((await app('shop')).observed ?? ''), { since: 61_000, containers: [] })
  assert.deepEqual(
    told.map(({ kind, fields }) => [kind, fields.app, fields.state]),
    [['app', 'shop', 'observed']],
  )
})

test('a host that cannot be seen keeps the reason and since when, until it can be seen again', async () => {
  await look()
  agents.answers['host.observe'] = () => {
    throw INTERNAL('the engine does not answer')
  }
  for (now of [2_000, 3_000]) {
    await look()
  }
  const unseen = JSON.parse((await host()).unseen ?? '{}')
  assert.deepEqual([unseen.since, (await host()).observed_at], [2_000, 1_000])
  assert.match(unseen.message, /does not answer/)
  agents.answers['host.observe'] = () => HOST
  await look()
  assert.equal((await host()).unseen, null)
})

test('a look is as old as its question, so that a slow answer is not taken for news', async () => {
  agents.answers['host.observe'] = () => {
    now += 5_000
    return HOST
  }
  await look()
  assert.equal((await host()).observed_at, 1_000)
})

for (const state of ['succeeded', 'failed', 'cancelled']) {
  test(`a deployment that ended as ${state} is followed by a look at its host`, {
    timeout: 120_000,
  }, async () => {
    const observer = createObserver(
      { ...store, agents, logger: silentLogger, wake: () => undefined },
      24 * 3600 * 1000,
    )
    observer.start()
    const seen = () => agents.told.length
    while (seen() < 1) {
      await nextTurn()
    }
    store.events.publish('deployment', { id: 'one', app: 'shop', state })
    while (seen() < 2) {
      await nextTurn()
    }
    await observer.close()
  })
}

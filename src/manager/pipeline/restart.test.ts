import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { toWire } from '#lib/errors.ts'
import { cancelDeployment, requestDeployment } from '#manager/deployments/request.ts'
import { addApp, openTestStore, type TestStore } from '#manager/deployments/test-store.ts'
import { REPOSITORY_LEFT } from '#manager/organisations/errors.ts'
import { resealAll } from '#manager/secrets/reseal.ts'
import { createSealer } from '#manager/secrets/seal.ts'
import { STORE_UNAVAILABLE } from '#manager/store/errors.ts'
import type { PipelineParts } from './step.ts'
import { createFakeAgents, type FakeAgents, workingAnswers } from './test-agents.ts'
import { openTestQueue } from './test-queue.ts'
import { adopted, setAppSecret, stoppedIn, teachCompose } from './test-restart.ts'

let store: TestStore
let agents: FakeAgents
let appId: string
beforeEach(async () => {
  store = await openTestStore()
  agents = createFakeAgents(workingAnswers())
  appId = await addApp(store, 'shop')
})
afterEach(async () => {
  await store.close()
})

/** What may change while no manager runs, with what is different about the next one. */
const MEANWHILE: Readonly<Record<string, () => Promise<Partial<PipelineParts>>>> = {
  'a secret was set': async () => {
    await setAppSecret(store, { appId, name: 'KEY', value: 'two' })
    return {}
  },
  'its repository was stopped': async () => {
    const stopped = JSON.stringify(toWire(REPOSITORY_LEFT('ada/shop', 'ada')))
    await store.db.updateTable('repositories').set({ stopped }).execute()
    return {}
  },
  'its settings were changed': async () => {
    await set({ port: 9090 })
    return {}
  },
  'the next manager has another base domain': async () => ({ baseDomain: 'example.org' }),
}

async function set(overrides: object): Promise<void> {
  await store.db
    .updateTable('apps')
    .set({ overrides: JSON.stringify(overrides) })
    .execute()
}

/** On its way back a deployment heeds no shutdown: what ends it there is a store that is gone, as with a kill. */
async function killedIn(command: string): Promise<string> {
  const works = agents.answers[command]
  const reached = Promise.withResolvers<void>()
  agents.answers[command] = (data, options) => {
    works?.(data, options)
    reached.resolve()
    throw STORE_UNAVAILABLE('killed')
  }
  const { id } = await requestDeployment(store, {
    appId,
    kind: 'deploy',
    trigger: { kind: 'api', by: 'ada' },
  })
  const queue = openTestQueue(store, agents)
  queue.wake()
  await reached.promise
  await queue.close()
  assert.ok(works)
  agents.answers[command] = works
  return id
}

for (const [what, change] of Object.entries(MEANWHILE)) {
  for (const command of ['route.point', 'container.verify', 'repository.forget']) {
    test(`a deployment that was left in ${command} ends as it was planned though ${what}`, async () => {
      await set({ environment: { A: '$KEY' } })
      await setAppSecret(store, { appId, name: 'KEY', value: 'one' })
      const { id } = await stoppedIn(store, agents, { appId, command })
      const end = await adopted(store, agents, id, await change())
      assert.equal(end.state, 'succeeded', JSON.stringify(end.error))
      assert.equal(end.outcome, 'deployed')
      assert.deepEqual(
        end.told.filter(told =>
          ['repository.checkout', 'container.start', 'container.remove'].includes(told),
        ),
        command === 'repository.forget' ? [] : end.told.filter(told => told === 'container.remove'),
        'what was done is not done again',
      )
      assert.deepEqual(
        end.releases.map(({ secrets }) => JSON.parse(secrets ?? '')),
        [{ KEY: 1 }],
        'the release says what runs',
      )
      const { host } = await store.db.selectFrom('domains').select('host').executeTakeFirstOrThrow()
      assert.equal(host, 'shop.localhost')
    })
  }

  test(`what was left in apply is taken back when it fails though ${what}`, async () => {
    const { id } = await stoppedIn(store, agents, { appId, command: 'container.verify' })
    const changes = await change()
    agents.answers['route.point'] = () => {
      throw new Error('the proxy is gone')
    }
    const end = await adopted(store, agents, id, changes)
    assert.equal(end.state, 'failed')
    assert.equal(end.failedStep, 'route')
    assert.equal(end.outcome, 'returned-to-previous')
    assert.ok(end.told.includes('container.remove'), 'what was started is removed')
    assert.equal(end.releases.length, 0)
  })

  test(`the way back goes on after a restart though ${what}`, async () => {
    agents.answers['container.verify'] = () => {
      throw new Error('sick')
    }
    const id = await killedIn('container.remove')
    const end = await adopted(store, agents, id, await change())
    assert.equal(end.failedStep, 'verify')
    assert.equal(end.outcome, 'returned-to-previous')
    assert.ok(end.told.includes('container.remove'))
  })
}

test('a release of Compose services names the secrets that they run with, also when one was replaced meanwhile', async () => {
  appId = await addApp(store, 'desk', 'compose')
  await set({ environment: { NPM_TOKEN: '$NPM' }, routes: [{ service: 'web', port: 80 }] })
  await setAppSecret(store, { appId, name: 'NPM', value: 'one' })
  const { rendered } = teachCompose(agents)
  const { id, commandId } = await stoppedIn(store, agents, { appId, command: 'compose.up' })
  await setAppSecret(store, { appId, name: 'NPM', value: 'two' })
  agents.finish(commandId, await agents.answers['compose.up']?.({}, {} as never))
  const end = await adopted(store, agents, id)
  assert.equal(end.state, 'succeeded', JSON.stringify(end.error))
  assert.deepEqual(rendered, [{ NPM_TOKEN: 'one' }])
  assert.deepEqual(
    end.releases.map(({ secrets }) => JSON.parse(secrets ?? '')),
    [{ NPM: 1 }],
  )
})

for (const command of ['image.content', 'compose.render']) {
  test(`a plan that was begun before a restart in ${command} takes no answer of the secrets before`, async () => {
    appId = await addApp(store, 'desk', 'compose')
    await set({ environment: { NPM_TOKEN: '$NPM' }, routes: [{ service: 'web', port: 80 }] })
    await setAppSecret(store, { appId, name: 'NPM', value: 'one' })
    const { rendered } = teachCompose(agents)
    const { id, commandId } = await stoppedIn(store, agents, { appId, command })
    agents.finish(commandId, await agents.answers[command]?.({ secrets: { NPM_TOKEN: 'one' } }, {} as never))
    await setAppSecret(store, { appId, name: 'NPM', value: 'two' })
    const end = await adopted(store, agents, id)
    assert.equal(end.state, 'succeeded', JSON.stringify(end.error))
    assert.deepEqual(rendered, [{ NPM_TOKEN: 'one' }, { NPM_TOKEN: 'two' }])
    assert.deepEqual(
      end.releases.map(({ secrets }) => JSON.parse(secrets ?? '')),
      [{ NPM: 2 }],
    )
  })
}

test('what a running deployment found out is kept sealed, and no longer than it runs', async () => {
  await set({ environment: { A: '$KEY' } })
  await setAppSecret(store, { appId, name: 'KEY', value: 'a-secret-value' })
  const { id } = await stoppedIn(store, agents, { appId, command: 'container.start' })
  const kept = () =>
    store.db.selectFrom('kept_facts').selectAll().where('deployment_id', '=', id).executeTakeFirst()
  const row = await kept()
  assert.match(row?.facts_sealed ?? '', /^v1\./)
  assert.ok(!JSON.stringify(row).includes('a-secret-value'))
  await adopted(store, agents, id)
  assert.equal(await kept(), undefined)
})

test('a deployment that failed and is cancelled on its way back is said to have failed, with its reason', async () => {
  agents.answers['container.verify'] = () => {
    throw new Error('sick')
  }
  const id = await killedIn('container.remove')
  await cancelDeployment(store, id)
  const end = await adopted(store, agents, id)
  assert.deepEqual([end.state, end.failedStep], ['failed', 'verify'])
  assert.match(JSON.stringify(end.error), /sick/)
})

test('R14 a deployment goes on with a key that was rotated while it ran', async () => {
  await set({ environment: { A: '$KEY' } })
  await setAppSecret(store, { appId, name: 'KEY', value: 'one' })
  const { id } = await stoppedIn(store, agents, { appId, command: 'container.start' })
  const [old, next] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
  const { left } = await resealAll(store.db, createSealer(next, old), createSealer(next))
  assert.deepEqual(left, [])
  const end = await adopted(store, agents, id, { sealer: createSealer(next) })
  assert.equal(end.state, 'succeeded', JSON.stringify(end.error))
})

test('a deployment of which nothing can be read any more ends with the reason, and claims no way back', async () => {
  const { id } = await stoppedIn(store, agents, { appId, command: 'container.start' })
  await store.db.updateTable('kept_facts').set({ facts_sealed: 'v1.damaged' }).execute()
  const end = await adopted(store, agents, id)
  assert.deepEqual([end.state, end.outcome], ['failed', 'return-incomplete'])
  assert.equal((end.error as { code?: string } | undefined)?.code, 'SEALED_VALUE_DAMAGED')
  assert.deepEqual(end.told, [])
})

test('a cancellation that the worker was not told of before the manager was killed is told by the next one', async () => {
  const { id, commandId } = await stoppedIn(store, agents, { appId, command: 'image.build' })
  await cancelDeployment(store, id)
  const end = await adopted(store, agents, id)
  assert.equal(end.state, 'cancelled')
  assert.deepEqual(agents.ended, [commandId], 'the build that is still at work is told to end')
  assert.ok(!end.told.includes('image.build'))
  const states = await store.db.selectFrom('steps').select(['name', 'state']).execute()
  assert.equal(states.find(({ name }) => name === 'build')?.state, 'cancelled')
  const told = await store.db.selectFrom('commands').selectAll().where('state', '=', 'told').execute()
  assert.deepEqual(told, [], 'nothing counts as at work')
})

test('what was at work when it was cancelled is ended before it is taken back, also after a restart', async () => {
  const { id, commandId } = await stoppedIn(store, agents, { appId, command: 'container.start' })
  await cancelDeployment(store, id)
  const toldBefore = agents.told.length
  const { resume } = agents
  agents.resume = async (...told) => {
    assert.equal(agents.told.length, toldBefore, 'nothing is told before')
    return await resume(...told)
  }
  const end = await adopted(store, agents, id)
  assert.deepEqual([end.state, end.outcome], ['cancelled', 'returned-to-previous'])
  assert.deepEqual(agents.ended, [commandId])
  assert.ok(end.told.includes('container.remove'))
})

test('the way back of an app that may take long to be healthy has that time too, and a restart gives it no more', async () => {
  appId = await addApp(store, 'desk', 'compose')
  await set({ verify: { within: '20m' }, routes: [{ service: 'web', port: 80 }] })
  teachCompose(agents)
  agents.answers['compose.up'] = () => {
    throw new Error('sick')
  }
  const limits: { withinMs: number; deadlineMs: number }[] = []
  const restore = agents.answers['compose.restore']
  agents.answers['compose.restore'] = (data, options) => {
    limits.push({ withinMs: Number(data.withinMs), deadlineMs: options.deadlineMs })
    return restore?.(data, options)
  }
  const id = await killedIn('compose.restore')
  await store.db
    .updateTable('commands')
    .set({ created_at: Date.now() - 15 * 60_000 })
    .execute()
  assert.equal((await adopted(store, agents, id)).outcome, 'returned-to-previous')
  const [first, second] = limits
  assert.ok(first && second)
  assert.ok(first.deadlineMs > first.withinMs && first.withinMs === 20 * 60_000, JSON.stringify(first))
  assert.ok(second.deadlineMs <= 16 * 60_000, JSON.stringify(second))
})

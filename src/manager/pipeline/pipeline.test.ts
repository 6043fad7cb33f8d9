import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { FairleadError } from '#lib/errors.ts'
import { newId } from '#lib/id.ts'
import type { TellOptions } from '#manager/agents/tell.ts'
import { listDeployments, readDeployment, readSteps } from '#manager/deployments/queries.ts'
import type { Queue } from '#manager/deployments/queue.ts'
import { cancelDeployment, requestDeployment } from '#manager/deployments/request.ts'
import { addApp, openTestStore, type TestStore } from '#manager/deployments/test-store.ts'
import { createFakeAgents, type FakeAgents, workingAnswers } from './test-agents.ts'
import { openTestQueue } from './test-queue.ts'

let store: TestStore
let agents: FakeAgents
let appId: string
let queue: Queue

beforeEach(async () => {
  store = await openTestStore()
  agents = createFakeAgents(workingAnswers())
  appId = await addApp(store, 'shop')
  queue = openTestQueue(store, agents)
})

afterEach(async () => {
  await queue.close()
  await store.close()
})

const api = { kind: 'api', by: 'test' } as const

async function deploy() {
  const { id } = await requestDeployment(store, { appId, kind: 'deploy', trigger: api })
  queue.wake()
  await queue.idle()
  return await readDeployment(store.db, id)
}

test('R12 the steps run in order and each leaves its row', async () => {
  const deployment = await deploy()
  assert.equal(deployment.error, undefined)
  assert.equal(deployment.state, 'succeeded')
  const steps = await readSteps(store.db, deployment.id)
  assert.deepEqual(
    steps.map(step => `${step.name} ${step.state}`),
    [
      'checkout done',
      'read done',
      'plan done',
      'build done',
      'push skipped',
      'apply done',
      'verify done',
      'route done',
      'announce done',
      'prune done',
    ],
  )
})

test('a success records the release with commit and evidence', async () => {
  const deployment = await deploy()
  assert.equal(deployment.commit, 'c'.repeat(40))
  assert.ok(deployment.releaseId)
  const release = await store.db.selectFrom('releases').selectAll().executeTakeFirstOrThrow()
  assert.equal(release.commit, deployment.commit)
  assert.match(JSON.stringify(deployment.evidence), /shop\.localhost/)
})

for (const [command, step] of [
  ['repository.checkout', 'checkout'],
  ['container.observe', 'plan'],
  ['image.build', 'build'],
  ['container.start', 'apply'],
  ['container.verify', 'verify'],
  ['route.point', 'route'],
] as const) {
  test(`a failure of ${command} ends the deployment as failed in the step ${step}, with reason and hint`, async () => {
    agents.answers[command] = () => {
      throw new Error('it broke')
    }
    const deployment = await deploy()
    assert.equal(deployment.state, 'failed')
    assert.equal(deployment.failedStep, step)
    assert.match(deployment.error?.message ?? '', /it broke/)
    assert.ok(deployment.error?.hint)
    assert.equal(await countReleases(), 0)
  })
}

test('a failure after apply began takes back what was started', async () => {
  agents.answers['route.point'] = () => {
    throw new Error('no answer')
  }
  const deployment = await deploy()
  assert.equal(deployment.outcome, 'returned-to-previous')
  assert.ok(agents.told.lastIndexOf('container.remove') > agents.told.indexOf('route.point'))
})

test('a release that fails while it is watched is taken back before what it replaced is gone', async () => {
  await store.db
    .updateTable('apps')
    .set({ overrides: JSON.stringify({ verify: { settle: '30s' } }) })
    .where('id', '=', appId)
    .execute()
  agents.answers['container.watch'] = () => {
    throw new Error('it turned unhealthy')
  }
  const deployment = await deploy()
  assert.deepEqual(
    [deployment.state, deployment.outcome, deployment.failedStep],
    ['failed', 'returned-to-previous', 'watch'],
  )
  const afterSwitch = agents.told.slice(agents.told.indexOf('route.point') + 1)
  assert.deepEqual(afterSwitch, [
    'container.watch',
    'container.remove',
    'route.remove',
    'image.prune',
    'repository.forget',
  ])
})

test('an engine that is being restarted is waited for, and the command is told again', async () => {
  let times = 0
  const build = agents.answers['image.build']
  agents.answers['image.build'] = (params, options) => {
    times += 1
    if (times === 1) {
      throw new FairleadError({
        ...{ code: 'ENGINE_UNREACHABLE', status: 503, retry: 'later' },
        ...{ message: 'Cannot connect to docker.', hint: 'Start it.' },
      })
    }
    return build?.(params, options)
  }
  const { state, error } = await deploy()
  assert.deepEqual([error, state, times], [undefined, 'succeeded', 2])
})

test('a failure before anything ran still gives its image and its checkout back', async () => {
  agents.answers['container.start'] = () => {
    throw new Error('it broke')
  }
  const pruned: unknown[] = []
  agents.answers['image.prune'] = params => {
    pruned.push(params.only)
    return { removed: [] }
  }
  const kept: unknown[] = []
  agents.answers['repository.forget'] = params => {
    kept.push(params.keep)
    return { removed: [] }
  }
  await deploy()
  assert.deepEqual([pruned, kept], [[[`fairlead/shop:t-${'1'.repeat(32)}`]], [[]]])
})

test('a failure of the clean-up does not make a served release a failure', async () => {
  agents.answers['container.remove'] = () => {
    throw new Error('busy')
  }
  assert.equal((await deploy()).state, 'succeeded')
})

test('a command is written down before it is told', async () => {
  const unwritten: string[] = []
  for (const [name, answer] of Object.entries(agents.answers)) {
    agents.answers[name] = async (params, options) => {
      const rows = await store.db
        .selectFrom('commands')
        .select('state')
        .where('id', '=', options.id)
        .execute()
      unwritten.push(...(rows[0]?.state === 'told' ? [] : [name]))
      return await answer(params, options)
    }
  }
  assert.equal((await deploy()).state, 'succeeded')
  assert.deepEqual(unwritten, [])
})

test('a command that was told before a restart is followed, and not told again', async () => {
  const reached = Promise.withResolvers<TellOptions>()
  const start = agents.answers['container.start']
  agents.answers['container.start'] = (_, options) => {
    reached.resolve(options)
    return new Promise((_resolve, reject) =>
      options.signal?.addEventListener('abort', () => reject(options.signal?.reason)),
    )
  }
  const { id } = await requestDeployment(store, { appId, kind: 'deploy', trigger: api })
  queue.wake()
  const told = await reached.promise
  await queue.close()
  agents.finish(told.id, start?.(told.params as Record<string, unknown>, told))
  if (start) {
    agents.answers['container.start'] = start
  }

  queue = openTestQueue(store, agents)
  queue.wake()
  await queue.idle()
  assert.equal((await readDeployment(store.db, id)).state, 'succeeded')
  assert.deepEqual(agents.resumed, [told.id])
  assert.equal(agents.told.filter(name => name === 'container.start').length, 1)
})

test('a manager that stops in a step goes on in that step after its restart; only what the worker lost is told again', async () => {
  const reached = Promise.withResolvers<void>()
  const start = agents.answers['container.start']
  agents.answers['container.start'] = (_, options) => {
    reached.resolve()
    return new Promise((_resolve, reject) =>
      options.signal?.addEventListener('abort', () => reject(options.signal?.reason)),
    )
  }
  const { id } = await requestDeployment(store, { appId, kind: 'deploy', trigger: api })
  queue.wake()
  await reached.promise
  await queue.close()
  assert.equal((await readDeployment(store.db, id)).state, 'running')

  if (start) {
    agents.answers['container.start'] = start
  }
  queue = openTestQueue(store, agents)
  queue.wake()
  await queue.idle()
  const deployment = await readDeployment(store.db, id)
  assert.equal(deployment.error, undefined)
  assert.equal(deployment.state, 'succeeded')
  assert.equal(agents.told.filter(name => name === 'image.build').length, 1)
  assert.equal(agents.told.filter(name => name === 'repository.checkout').length, 1)
  assert.equal(agents.told.filter(name => name === 'container.start').length, 2)
})

test('A11 a cancelled deployment stops where it is and frees the app for the next one', async () => {
  const reached = Promise.withResolvers<void>()
  const build = agents.answers['image.build']
  agents.answers['image.build'] = (_, options) => {
    reached.resolve()
    return new Promise((_resolve, reject) =>
      options.signal?.addEventListener('abort', () => reject(options.signal?.reason)),
    )
  }
  const { id } = await requestDeployment(store, { appId, kind: 'deploy', trigger: api })
  queue.wake()
  await reached.promise
  await cancelDeployment(store, id)
  queue.abort(id)
  await queue.idle()
  assert.equal((await readDeployment(store.db, id)).state, 'cancelled')
  if (build) {
    agents.answers['image.build'] = build
  }
  assert.equal((await deploy()).state, 'succeeded')
})

test('P6 twenty requests while one runs make one more deployment', async () => {
  const gate = Promise.withResolvers<void>()
  const build = agents.answers['image.build']
  agents.answers['image.build'] = async (params, options) => {
    await gate.promise
    return build?.(params, options)
  }
  await requestDeployment(store, { appId, kind: 'deploy', trigger: api })
  queue.wake()
  for (let push = 0; push < 20; push++) {
    await requestDeployment(store, { appId, kind: 'deploy', trigger: api })
    queue.wake()
  }
  gate.resolve()
  await queue.idle()
  // Until the burst is over.
  await store.clock.sleep(600)
  await queue.idle()
  const states = await store.db.selectFrom('deployments').select('state').execute()
  assert.ok(states.length <= 2)
  assert.ok(states.every(row => row.state === 'succeeded'))
})

test('R80 the tip that a deployment saw is no news to the next poll, and other apps of the repository follow it', async () => {
  const { repository_id } = await store.db
    .selectFrom('apps')
    .select('repository_id')
    .where('id', '=', appId)
    .executeTakeFirstOrThrow()
  const sibling = await addApp(store, 'blog')
  await store.db.updateTable('apps').set({ repository_id }).where('id', '=', sibling).execute()
  const lastTip = async () =>
    (
      await store.db.selectFrom('repositories').selectAll().where('id', '=', String(repository_id)).execute()
    )[0]?.last_tip
  const old = { app_id: sibling, kind: 'deploy', trigger: '{}', cancel_requested: 0, created_at: 1 } as const
  await store.db
    .insertInto('deployments')
    .values({ ...old, id: newId(), state: 'succeeded', commit: 'a'.repeat(40) })
    .execute()
  await store.db
    .updateTable('repositories')
    .set({ last_tip: 'a'.repeat(40) })
    .execute()
  await requestDeployment(store, { appId, kind: 'deploy', trigger: api, commit: 'c'.repeat(40) })
  queue.wake()
  await queue.idle()
  assert.equal(await lastTip(), 'a'.repeat(40), 'a commit that was asked for by name is not the tip')
  await deploy()
  assert.equal(await lastTip(), 'c'.repeat(40))
  const [follower] = await listDeployments(store.db, { app: 'blog', limit: 1 })
  assert.deepEqual([follower?.trigger.kind, follower?.commit], ['poll', 'c'.repeat(40)])
})

test('checkouts stay of what runs and ran before, commits of what can be gone back to, and nothing goes while another is checked out', async () => {
  const forgets: unknown[] = []
  agents.answers['repository.forget'] = ({ keep, commits }) => {
    forgets.push([keep, commits])
    return { removed: [] }
  }
  const commits = ['1', '2', '3'].map(each => each.repeat(40))
  for (const commit of commits) {
    const { 'repository.checkout': checkout } = workingAnswers()
    const asked = [{}, {}] as unknown as Parameters<NonNullable<typeof checkout>>
    agents.answers['repository.checkout'] = () => ({ ...(checkout?.(...asked) as object), commit })
    await deploy()
  }
  assert.deepEqual(forgets.at(-1), [[commits[2], commits[1]], [commits[0]]])
  const { repository_id } = (await store.db.selectFrom('apps').selectAll().execute())[0] ?? {}
  const sibling = await addApp(store, 'blog')
  await store.db.updateTable('apps').set({ repository_id }).where('id', '=', sibling).execute()
  const running = {
    app_id: sibling,
    kind: 'deploy',
    trigger: '{}',
    cancel_requested: 0,
    created_at: 1,
  } as const
  await store.db
    .insertInto('deployments')
    .values({ ...running, id: newId(), state: 'waiting' })
    .execute()
  const before = forgets.length
  await deploy()
  assert.equal(forgets.length, before)
})

test('two apps that want one domain: the second fails and says which', async () => {
  await deploy()
  const other = await addApp(store, 'blog')
  await store.db
    .updateTable('apps')
    .set({ overrides: JSON.stringify({ domain: 'shop.localhost' }) })
    .where('id', '=', other)
    .execute()
  const { id } = await requestDeployment(store, { appId: other, kind: 'deploy', trigger: api })
  queue.wake()
  await queue.idle()
  const deployment = await readDeployment(store.db, id)
  assert.equal(deployment.error?.code, 'DOMAIN_TAKEN_BY_APP')
  assert.equal(deployment.failedStep, 'read')
})

async function countReleases(): Promise<number> {
  return (await store.db.selectFrom('releases').select('id').execute()).length
}

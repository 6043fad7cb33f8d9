import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { listHistory, readDeployment } from '#manager/deployments/queries.ts'
import type { Queue } from '#manager/deployments/queue.ts'
import { requestDeployment } from '#manager/deployments/request.ts'
import { addApp, openTestStore, type TestStore } from '#manager/deployments/test-store.ts'
import { createFakeAgents, type FakeAgents, workingAnswers } from './test-agents.ts'
import { openTestQueue } from './test-queue.ts'

const PUSH = { kind: 'webhook', by: 'github' } as const
const FIRST = 'c'.repeat(40)
const DOCKERFILE = { Dockerfile: 'FROM scratch\nEXPOSE 8080\n' }

let store: TestStore
let agents: FakeAgents
let appId: string
let queue: Queue
/** What the next checkout has. */
let texts: Readonly<Record<string, string>>
let truncated: boolean

beforeEach(async () => {
  store = await openTestStore()
  texts = DOCKERFILE
  truncated = false
  const working = workingAnswers()
  agents = createFakeAgents({
    ...working,
    'repository.checkout': (...asked) => ({
      ...(working['repository.checkout']?.(...asked) as object),
      paths: Object.keys(texts),
      texts,
      truncated,
    }),
    'repository.read': ({ paths }) => ({
      texts: Object.fromEntries((paths as string[]).map(path => [path, texts[path] ?? ''])),
    }),
  })
  appId = await addApp(store, 'shop')
  queue = openTestQueue(store, agents)
  assert.equal((await run()).outcome, 'deployed')
  await store.db.updateTable('apps').set({ by_files: 'stack' }).execute()
  agents.told.length = 0
})

afterEach(async () => {
  await queue.close()
  await store.close()
})

async function run(id = appId) {
  const requested = await requestDeployment(store, { appId: id, kind: 'deploy', trigger: PUSH })
  queue.wake()
  await queue.idle()
  return await readDeployment(store.db, requested.id)
}

async function kinds(): Promise<string[]> {
  const all = await listHistory(store.db, { limit: 50 })
  return all.map(({ kind, state, outcome }) => `${kind} ${state} ${outcome ?? ''}`).reverse()
}

async function appNames(): Promise<string[]> {
  return (await store.db.selectFrom('apps').select('name').execute()).map(({ name }) => name)
}

test('R49 R54 an app that no file describes any more is removed by a deployment of its own, and its volumes stay', async () => {
  texts = { 'README.md': '' }
  const removals: unknown[] = []
  agents.answers['container.remove'] = params => {
    removals.push(params.volumes)
    return { removed: [] }
  }
  const deployment = await run()
  assert.equal(deployment.outcome, 'files-gone')
  assert.deepEqual(await kinds(), [
    'deploy succeeded deployed',
    'deploy succeeded files-gone',
    'remove succeeded removed',
  ])
  assert.deepEqual(removals, ['keep'])
  assert.deepEqual(await appNames(), [])
})

const EARLY = { 'docker-compose-shop.yml': 'services: { web: { image: x } }\n' }

for (const [what, files] of Object.entries({
  'an instance': { 'simple-stack-instance.shop.live.json': '{ "enabled": true }' },
  'an instance that is off': { 'simple-stack-instance.shop.live.json': '{ "enabled": false }' },
  'a definition': {
    'stack-definition.all.json': '{ "composes": ["docker-compose-shop.yml"] }',
    'stack-instance.all.live.json': '{ "enabled": true }',
  },
})) {
  test(`R35 R54 a stack whose Compose file has become a part of ${what} is removed: there are never two`, async () => {
    texts = { ...EARLY, ...files }
    assert.equal((await run()).outcome, 'files-gone')
    assert.deepEqual(await appNames(), [])
  })
}

for (const [what, files] of Object.entries({
  'lies elsewhere now': { 'deep/down/docker-compose-shop.yml': '', ...DOCKERFILE },
  'is there twice': { 'a/stack-instance.x.shop.json': '{}', 'b/stack-instance.x.shop.json': '{}' },
  'is no JSON': { 'simple-stack-instance.x.shop.json': '{' },
  'is named by a definition that is no JSON': {
    ...EARLY,
    'stack-definition.a.json': '{ "composes": ["shop"',
  },
  'is named by a definition that no instance uses': {
    ...EARLY,
    'stack-definition.all.json': '{ "composes": ["docker-compose-shop.yml"] }',
  },
  'is named by a definition that misses another file': {
    ...EARLY,
    'stack-definition.all.json': '{ "composes": ["docker-compose-shop.yml", "nothere"] }',
    'stack-instance.all.live.json': '{ "enabled": true }',
  },
  'is named by a definition with an instance that is no JSON': {
    ...EARLY,
    'stack-definition.all.json': '{ "composes": ["docker-compose-shop.yml"] }',
    'stack-instance.all.live.json': '{ "enabled": true }',
    'stack-instance.all.test.json': '{ "enabled": true,',
  },
  'is named by an instance whose parameters are wrong': {
    ...EARLY,
    'simple-stack-instance.shop.live.json': '{ "enabled": true, "parameters": 1 }',
  },
  'is named by an instance that is wrong': { ...EARLY, 'simple-stack-instance.shop.live.json': '{}' },
  'is named by instances of one name': {
    ...EARLY,
    'a/simple-stack-instance.shop.live.json': '{ "enabled": true }',
    'b/simple-stack-instance.shop.live.json': '{ "enabled": true }',
  },
  'is named by an instance of its own name': {
    ...EARLY,
    'simple-stack-instance.shop.shop.json': '{ "enabled": true }',
  },
  'is replaced by a deploy file': { 'fairlead.yaml': 'version: 1\napps:\n  x: { target: container }\n' },
})) {
  test(`R54 an app whose file ${what} is not removed`, async () => {
    texts = files
    await run()
    assert.ok((await kinds()).every(kind => !kind.startsWith('remove')))
    assert.deepEqual(await appNames(), ['shop'])
  })
}

test('R54 nothing is removed for files that the worker could not tell of', async () => {
  texts = { 'README.md': '' }
  truncated = true
  assert.equal((await run()).state, 'failed')
  assert.deepEqual(await appNames(), ['shop'])
})

test('an app that somebody described otherwise, or an old commit, removes nothing', async () => {
  texts = { 'README.md': '' }
  const request = { appId, kind: 'deploy', trigger: { kind: 'api', by: 'ada' }, commit: FIRST } as const
  await requestDeployment(store, request)
  queue.wake()
  await queue.idle()
  await store.db.updateTable('apps').set({ by_files: null }).execute()
  assert.equal((await run()).error?.code, 'NOTHING_TO_DEPLOY')
  assert.deepEqual(await appNames(), ['shop'])
})

test('an app whose deployments need an approval is not removed by a push, but waits for a person', async () => {
  await store.db.updateTable('apps').set({ approval: 1 }).execute()
  texts = { 'README.md': '' }
  assert.equal((await run()).error?.code, 'APP_REMOVAL_HELD')
  assert.deepEqual(await appNames(), ['shop'])
})

test('a push that brings the file back while the app is being removed deploys it again', async () => {
  texts = { 'README.md': '' }
  const removing = Promise.withResolvers<void>()
  const goOn = Promise.withResolvers<void>()
  agents.answers['container.remove'] = async () => {
    removing.resolve()
    await goOn.promise
    return { removed: [] }
  }
  const first = run()
  await removing.promise
  texts = DOCKERFILE
  await store.db.updateTable('apps').set({ by_files: null }).execute()
  await requestDeployment(store, { appId, kind: 'deploy', trigger: PUSH })
  agents.answers['container.remove'] = () => ({ removed: [] })
  goOn.resolve()
  await first
  await queue.idle()
  assert.deepEqual((await kinds()).slice(1), [
    'deploy succeeded files-gone',
    'remove succeeded removed',
    'deploy succeeded deployed',
  ])
  assert.deepEqual(await appNames(), ['shop'])
})

test('R24 stacks wait for the images of the same repository, and for no others', async () => {
  const imageId = await addApp(store, 'image-web')
  const { repository_id } = await store.db
    .selectFrom('apps')
    .select('repository_id')
    .where('id', '=', appId)
    .executeTakeFirstOrThrow()
  await store.db
    .updateTable('apps')
    .set({ by_files: 'image', repository_id, entry: 'image-web' })
    .where('id', '=', imageId)
    .execute()
  texts = { 'Dockerfile-web': '' }
  const order: string[] = []
  agents.answers['repository.checkout'] = (
    (before = agents.answers['repository.checkout']) =>
    (params, options) => {
      order.push('checkout')
      return before?.(params, options)
    }
  )()
  const stack = await requestDeployment(store, { appId, kind: 'deploy', trigger: PUSH })
  const image = await requestDeployment(store, { appId: imageId, kind: 'deploy', trigger: PUSH })
  queue.wake()
  await queue.idle()
  const [first, second] = await Promise.all([
    readDeployment(store.db, image.id),
    readDeployment(store.db, stack.id),
  ])
  assert.ok((first.finishedAt ?? 0) <= (second.startedAt ?? -1))
  assert.equal(order.length, 2)
})

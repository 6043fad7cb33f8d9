import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { allowRemovals } from '#manager/apps/allow-removals.ts'
import { listHistory } from '#manager/deployments/queries.ts'
import type { Queue } from '#manager/deployments/queue.ts'
import { requestDeployment } from '#manager/deployments/request.ts'
import { addApp, openTestStore, type TestStore } from '#manager/deployments/test-store.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { createFakeAgents, type FakeAgents, workingAnswers } from './test-agents.ts'
import { openTestQueue } from './test-queue.ts'

const PUSH = { kind: 'webhook', by: 'github' } as const
const COMPOSE = 'services:\n  web:\n    image: web:1\n'

let store: TestStore
let agents: FakeAgents
let queue: Queue
/** Names of the stacks that the tip of the branch has files of. */
let files: readonly string[]
let commits: number

beforeEach(async () => {
  store = await openTestStore()
  commits = 0
  const interest = {
    reports: new Set<string>(),
    channels: [{ id: 'c', events: ['problem'], apps: undefined }],
  }
  store = { ...store, outbox: { interest: () => interest as never, wake: () => undefined } }
  const working = workingAnswers()
  agents = createFakeAgents({
    ...working,
    'repository.checkout': (...asked) => ({
      ...(working['repository.checkout']?.(...asked) as object),
      ...{ commit: String(commits).padStart(40, 'a'), paths: paths(), texts: {}, truncated: false },
    }),
    'repository.read': ({ paths: wanted }) => ({
      texts: Object.fromEntries((wanted as string[]).map(path => [path, COMPOSE])),
    }),
    'swarm.down': () => ({ removed: [] }),
  })
  queue = openTestQueue(store, agents)
})

afterEach(async () => {
  await queue.close()
  await store.close()
})

function paths(): string[] {
  return files.map(name => `docker-compose-${name}.yml`)
}

/** A repository whose files made these apps. */
async function made(names: readonly string[]): Promise<void> {
  const ids = []
  for (const name of names) {
    ids.push(await addApp(store, name, 'stack'))
  }
  const { id } = await store.db
    .selectFrom('repositories')
    .select('id')
    .where('name', '=', names[0] ?? '')
    .executeTakeFirstOrThrow()
  await store.db.updateTable('apps').set({ by_files: 'stack', repository_id: id }).execute()
  await store.db.deleteFrom('repositories').where('id', '!=', id).execute()
  await store.db.updateTable('repositories').set({ name: 'infra', auto_apps: 1 }).execute()
  // Otherwise nothing of them would have to be taken down.
  files = names
  await push(names)
}

async function push(names: readonly string[]): Promise<void> {
  files = names
  commits += 1
  const apps = await store.db.selectFrom('apps').select('id').execute()
  for (const { id } of apps) {
    await requestDeployment(store, { appId: id, kind: 'deploy', trigger: PUSH })
  }
  queue.wake()
  await queue.idle()
}

async function goOn(apps: readonly string[]): Promise<void> {
  const parts = { ...store, wake: () => queue.wake() } as unknown as ManagerParts
  await allowRemovals(parts, { repository: 'infra', apps, by: 'ada' })
  await queue.idle()
}

async function appNames(): Promise<string[]> {
  const rows = await store.db.selectFrom('apps').select('name').orderBy('name').execute()
  return rows.map(({ name }) => name)
}

async function told(): Promise<string[]> {
  const rows = await store.db.selectFrom('outbox').select('payload').execute()
  return rows
    .map(({ payload }) => JSON.parse(payload) as { title: string; detail?: string })
    .filter(({ title }) => title.includes('its files want'))
    .map(({ title, detail }) => `${title}: ${detail}`)
}

async function held(): Promise<string[]> {
  const rows = await store.db
    .selectFrom('held_removals')
    .innerJoin('apps', 'apps.id', 'held_removals.app_id')
    .select(['name', 'why'])
    .orderBy('name')
    .execute()
  return rows.map(({ name, why }) => `${name} ${why}`)
}

async function codes(): Promise<(string | undefined)[]> {
  const all = await listHistory(store.db, { limit: 100 })
  return all.filter(({ commit }) => commit?.endsWith(String(commits))).map(({ error }) => error?.code)
}

const SIX = ['a', 'b', 'c', 'd', 'e', 'f']

test('R54 a push that would remove most of a repository removes nothing, says so once, and goes on when a person agrees', async () => {
  await made(SIX)
  await push(['a', 'b'])
  assert.deepEqual(await appNames(), SIX)
  assert.deepEqual(await held(), ['c many', 'd many', 'e many', 'f many'])
  assert.equal((await codes()).filter(code => code === 'APP_REMOVAL_HELD').length, 4)
  assert.deepEqual(await told(), [
    'infra: its files want 4 of 6 apps no more: Nothing is removed until somebody agrees: c, d, e, f',
  ])
  await push(['a', 'b', 'c'])
  assert.deepEqual(await held(), ['d many', 'e many', 'f many'])
  assert.equal((await told()).length, 1)
  await assert.rejects(goOn(['c']), { code: 'REMOVAL_NOT_HELD' })
  await goOn(['d', 'e'])
  assert.deepEqual(await appNames(), ['a', 'b', 'c', 'f'])
  assert.deepEqual(await held(), ['f many'])
})

test('R54 a push that empties the tree, and one that gives every stack another name, remove nothing', async () => {
  await made(['a', 'b', 'c'])
  await push([])
  assert.deepEqual(await appNames(), ['a', 'b', 'c'])
  await push(['x', 'y', 'z'])
  assert.deepEqual(await appNames(), ['a', 'b', 'c', 'x', 'y', 'z'])
  assert.deepEqual(await held(), ['a many', 'b many', 'c many'])
})

test('R54 half of a repository, or both of two stacks, are removed by a push as ever', async () => {
  await made(SIX)
  await push(['a', 'b', 'c'])
  assert.deepEqual(await appNames(), ['a', 'b', 'c'])
  await push(['a', 'b'])
  await push(['x'])
  assert.deepEqual(await appNames(), ['x'])
})

test('R54 a changed branch that has none of the apps removes none, however few they are, until a person agrees', async () => {
  await made(['a', 'b'])
  await store.db.updateTable('repositories').set({ moved: 1 }).execute()
  await push([])
  assert.deepEqual(await held(), ['a moved', 'b moved'])
  await goOn(['a', 'b'])
  assert.deepEqual(await appNames(), [])
})

test('R54 a changed branch that has some of the apps is the place from then on', async () => {
  await made(['a', 'b'])
  await store.db.updateTable('repositories').set({ moved: 1 }).execute()
  await push(['a'])
  await push([])
  assert.deepEqual(await appNames(), [])
})

test('R54 a removal that was agreed to does not happen when the file is back', async () => {
  await made(['a', 'b', 'c'])
  await push([])
  files = ['b']
  await goOn(['a', 'b'])
  assert.deepEqual(await appNames(), ['b', 'c'])
  assert.deepEqual(await held(), ['c many'])
})

test('R31 the removal of an app whose deployments need an approval waits, and the others go', async () => {
  await made(['a', 'b', 'c', 'd'])
  await store.db.updateTable('apps').set({ approval: 1 }).where('name', '=', 'a').execute()
  await push(['c', 'd'])
  assert.deepEqual(await appNames(), ['a', 'c', 'd'])
  assert.deepEqual(await held(), ['a approval'])
  await goOn(['a'])
  assert.deepEqual(await appNames(), ['c', 'd'])
})

test('R23 a new stack is created also when no other app of its repository is wanted any more', async () => {
  await made(['a'])
  await push(['b'])
  assert.deepEqual(await appNames(), ['b'])
})

test('R23 a tip that came while the last app was being removed is news to the next look', async () => {
  await made(['a'])
  const tip = async () =>
    (await store.db.selectFrom('repositories').select('last_tip').executeTakeFirstOrThrow()).last_tip
  agents.answers['swarm.down'] = async () => {
    await store.db
      .updateTable('repositories')
      .set({ last_tip: 'f'.repeat(40) })
      .execute()
    return { removed: [] }
  }
  await push([])
  assert.deepEqual([await appNames(), await tip()], [[], null])
})

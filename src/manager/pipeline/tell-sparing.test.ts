import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { imagePublish } from '#commands/image.ts'
import { newId } from '#lib/id.ts'
import { forgetArtifact } from '#manager/artifacts/queries.ts'
import { requestDeployment } from '#manager/deployments/request.ts'
import { addApp, openTestStore, type TestStore } from '#manager/deployments/test-store.ts'
import { freeNames, noteGivenNames } from '#manager/releases/given-names.ts'
import { notePins } from '#manager/releases/pins.ts'
import { createFakeAgents, type FakeAgents, workingAnswers } from './test-agents.ts'
import { openTestQueue } from './test-queue.ts'

const hex = (letter: string) => `sha256:${letter.repeat(64)}`
const made = (digit: string) => `fairlead/shop:t-${digit.repeat(32)}`
const candidate = (digit: string) => ({ take: [made(digit)], known: [hex(digit), made(digit)] })

let store: TestStore
let agents: FakeAgents
/** What each prune was to take; a proposal takes nothing. */
let pruned: (readonly string[] | 'proposal')[]
let candidates: readonly object[]
/** Names that each proposal was told to be given by deployments. */
let given: unknown[]

beforeEach(async () => {
  store = await openTestStore()
  agents = createFakeAgents(workingAnswers())
  pruned = []
  given = []
  candidates = ['2', '3', '4', '5', '6'].map(candidate)
  agents.answers['image.prune'] = ({ propose, only, ...data }) => {
    pruned.push(propose === true ? 'proposal' : (only as string[]))
    given.push(...(propose === true ? [data.given] : []))
    return { removed: only ?? [], freedCacheBytes: 0, ...(propose === true ? { candidates } : {}) }
  }
})
afterEach(() => store.close())

async function run(appId: string, kind: 'deploy' | 'remove', isCacheDue?: (engine: string) => boolean) {
  const queue = openTestQueue(store, agents, isCacheDue ? { isCacheDue } : {})
  await requestDeployment(store, { appId, kind, trigger: { kind: 'api', by: 'test' } })
  queue.wake()
  await queue.idle()
  await queue.close()
}

test('R43 neither a deployment nor a removal takes images that an artefact names, another app can go back to, or is about to run', async () => {
  const shop = await addApp(store, 'shop')
  const board = await addApp(store, 'board')
  // Kept are five: what the sixth last one named may go.
  for (const digit of ['3', '4', '', '', '', '']) {
    await addRelease(board, digit === '' ? {} : { image: made(digit) })
  }
  await addArtifact(hex('2'))
  await addPlan(await addApp(store, 'slow'), { apply: [{ data: { image: hex('5') } }] })
  await run(shop, 'deploy')
  assert.deepEqual(pruned, ['proposal', [made('3'), made('6')]])
  pruned.length = 0
  await run(shop, 'remove')
  assert.deepEqual(pruned, ['proposal', [made('3'), made('6')]])
})

test('what the app itself pins goes when it is removed, and where nothing would go the worker is asked once', async () => {
  const shop = await addApp(store, 'shop')
  await addRelease(shop, { image: made('2') })
  candidates = [candidate('2')]
  await run(shop, 'remove')
  assert.deepEqual(pruned, ['proposal', [made('2')]])
  pruned.length = 0
  candidates = []
  await run(await addApp(store, 'other'), 'deploy')
  assert.deepEqual(pruned, ['proposal'])
})

test('the build cache of an engine is looked through when it is due, by one of the commands', async () => {
  const caches: unknown[] = []
  agents.answers['image.prune'] = ({ buildCache }) => {
    caches.push(buildCache !== undefined)
    return { removed: [], freedCacheBytes: 0, candidates: [candidate('2')] }
  }
  const shop = await addApp(store, 'shop')
  const engines: string[] = []
  for (const isDue of [true, false]) {
    await run(shop, 'deploy', engine => engines.push(engine) > 0 && isDue)
  }
  assert.deepEqual(caches, [true, false, false, false])
  assert.deepEqual(engines, ['local/local', 'local/local'])
})

test('R43 an environment of notebooks stays while another project can go back to it or is about to use it', async () => {
  const keys = ['1', '2', '3'].map(digit => `e-${digit.repeat(24)}`)
  const [kept = '', planned = '', free = ''] = keys
  candidates = keys.map(key => ({ take: [`fairlead/notebooks/env:${key}`], known: [hex('9'), key] }))
  await addRelease(await addApp(store, 'churn'), { notebook: { environment: kept } })
  const tells = [{ command: 'notebook.environment', data: { key: planned } }]
  await addPlan(await addApp(store, 'sales'), { build: tells })
  await run(await addApp(store, 'shop'), 'deploy')
  assert.deepEqual(pruned, ['proposal', [`fairlead/notebooks/env:${free}`]])
})

test('R43 the name of a version is free when its artefact is forgotten, until it is gone from the host', async () => {
  const shop = await addApp(store, 'shop')
  const [place, name] = [{ host: 'local', engine: 'local', app: 'shop' }, 'shop:1']
  const references = [{ reference: 'r.example/shop:1' }]
  const publish = { key: 'publish', command: imagePublish.name, data: { name, references } }
  await noteGivenNames(store.db, place, { push: [publish] })
  await noteGivenNames(store.db, { ...place, app: 'other' }, { push: [], named: [publish] })
  await noteGivenNames(store.db, { ...place, engine: 'big' }, { push: [publish] })
  await addArtifact(hex('2'))
  candidates = []
  await run(shop, 'deploy')
  assert.deepEqual(given, [['r.example/shop:1']])
  const [{ id } = { id: '' }] = await store.db.selectFrom('artifacts').select('id').execute()
  await forgetArtifact(store.db, id)
  candidates = [{ take: [name], known: [hex('2'), name] }]
  await run(shop, 'deploy')
  await run(shop, 'deploy')
  assert.deepEqual(given.slice(1), [['r.example/shop:1', name], ['r.example/shop:1']])
  assert.deepEqual(await freeNames(store.db, { host: 'local', engine: 'big' }), ['r.example/shop:1', name])
})

test('what holds an image goes with its pins', async () => {
  const board = await addApp(store, 'board')
  await run(board, 'deploy')
  const pins = store.db.selectFrom('image_pins').select('pin')
  const built = `fairlead/shop:t-${'1'.repeat(32)}`
  assert.ok((await pins.execute()).some(({ pin }) => pin === built))
  await store.db.deleteFrom('apps').where('id', '=', board).execute()
  assert.deepEqual(await pins.execute(), [])
})

async function addRelease(app: string, content: object): Promise<void> {
  const id = newId()
  const row = { id, app_id: app, deployment_id: id, commit: 'c', config_hash: 'h', origin: id, created_at: 1 }
  await store.db
    .insertInto('releases')
    .values({ ...row, content: JSON.stringify(content) })
    .execute()
  await notePins(store.db, { release_id: id }, content)
}

async function addArtifact(imageId: string): Promise<void> {
  const id = newId()
  await store.db
    .insertInto('artifacts')
    .values({
      ...{ id, app: 'shop', deployment_id: id, service_name: 'shop', version: '1', image: 'shop:1' },
      ...{ image_id: imageId, bytes: null, commit: 'c', references: '{}', created_at: 1 },
    })
    .execute()
  await notePins(store.db, { artifact_id: id }, ['shop:1', imageId])
}

async function addPlan(appId: string, plan: object): Promise<void> {
  const trigger = { kind: 'api', by: 'test' } as const
  const { id } = await requestDeployment(store, { appId, kind: 'deploy', trigger })
  // It waits for a person, so the queue leaves it alone.
  const state = { state: 'waiting', plan: JSON.stringify(plan) } as const
  await store.db.updateTable('deployments').set(state).where('id', '=', id).execute()
}

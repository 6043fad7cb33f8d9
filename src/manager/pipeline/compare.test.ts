import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { isWatched } from '#commands/repository-changes.ts'
import type { Trigger } from '#manager/deployments/deployment.ts'
import { readDeployment, readSteps } from '#manager/deployments/queries.ts'
import type { Queue } from '#manager/deployments/queue.ts'
import { requestDeployment } from '#manager/deployments/request.ts'
import { addApp, openTestStore, type TestStore } from '#manager/deployments/test-store.ts'
import { aHost } from '#manager/observation/test-seen.ts'
import { createFakeAgents, type FakeAgents, workingAnswers } from './test-agents.ts'
import { openTestQueue } from './test-queue.ts'

const PUSH = { kind: 'webhook', by: 'github' } as const
const FIRST = 'c'.repeat(40)
const SECOND = '2'.repeat(40)

const NOT_SEEN = {
  ...{ state: 'unknown', reason: 'its host was not looked at yet' },
  ...{ at: null, age_seconds: null, containers: 0 },
}
const RUNNING = { ...aHost().containers[0], state: 'running', health: 'none' }
const GONE = { kind: 'missing', what: 'shop', reason: 'shop is gone', container: null, since: 1 }

let store: TestStore
let agents: FakeAgents
let appId: string
let queue: Queue
let asked: Record<string, unknown>[]
/** What the fake worker finds changed between any two commits. */
let changed: string[]

beforeEach(async () => {
  store = await openTestStore()
  asked = []
  changed = ['README.md', 'blog/a.ts']
  agents = createFakeAgents({
    ...workingAnswers(),
    'repository.changes': params => {
      asked.push(params)
      const watch = params.watch as string[]
      const watched = changed.filter(path => watch.some(pattern => isWatched(path, pattern)))
      return { compared: 'yes', changed: changed.length, watched: watched.length, examples: watched }
    },
  })
  appId = await addApp(store, 'shop')
  await override({ watch: ['shop', 'shared/**'] })
  queue = openTestQueue(store, agents)
})

afterEach(async () => {
  await queue.close()
  await store.close()
})

test('R22 a push that changed nothing the app watches ends unaffected: nothing is planned, built or started', async () => {
  await deploy(FIRST)
  agents.told.length = 0
  const deployment = await deploy(SECOND)
  assert.deepEqual([deployment.state, deployment.outcome], ['succeeded', 'unaffected'])
  assert.deepEqual(agents.told, ['repository.checkout', 'repository.changes'])
  assert.equal(deployment.commit, SECOND)
  assert.deepEqual(deployment.evidence, { from: FIRST, to: SECOND, changed: 2, observed: NOT_SEEN })
  assert.equal((await store.db.selectFrom('releases').selectAll().execute()).length, 1)
})

test('R22 R23 what is compared is the released commit with the tip, and the deploy file is always watched', async () => {
  await deploy(FIRST)
  await deploy('1'.repeat(40))
  await deploy(SECOND)
  assert.deepEqual(
    asked.map(({ from, to }) => [from, to]),
    [
      [FIRST, '1'.repeat(40)],
      [FIRST, SECOND],
    ],
  )
  assert.deepEqual(asked[0]?.watch, [
    'shop',
    'shared/**',
    'fairlead.yaml',
    'fairlead.yml',
    '.fairlead',
    'Dockerfile',
  ])
})

test('a push that changed a watched file is deployed, and the step says which', async () => {
  await deploy(FIRST)
  changed = ['README.md', 'shop/a.ts']
  const deployment = await deploy(SECOND)
  assert.equal(deployment.outcome, 'deployed')
  const step = (await readSteps(store.db, deployment.id)).find(({ name }) => name === 'compare')
  assert.deepEqual(step?.outcome, { kind: 'done', data: { from: FIRST, changed: 2, watched: 1 } })
})

test('R22 one push deploys exactly the affected apps', async () => {
  const blogId = await addApp(store, 'blog')
  await override({ watch: ['blog'] }, 0, blogId)
  await deploy(FIRST)
  await deploy(FIRST, PUSH, blogId)
  const outcomes = await Promise.all([deploy(SECOND), deploy(SECOND, PUSH, blogId)])
  assert.deepEqual(
    outcomes.map(({ app, outcome, commit }) => [app, outcome, commit]),
    [
      ['shop', 'unaffected', SECOND],
      ['blog', 'deployed', SECOND],
    ],
  )
})

test('the first deployment, and one that a person asks for, are not compared', async () => {
  assert.equal((await deploy(FIRST)).outcome, 'deployed')
  assert.equal((await deploy(SECOND, { kind: 'api', by: 'test' })).outcome, 'deployed')
  assert.deepEqual(asked, [])
})

test('without "watch" every push is for the app', async () => {
  await override({})
  await deploy(FIRST)
  assert.equal((await deploy(SECOND)).outcome, 'deployed')
  assert.deepEqual(asked, [])
})

test('after a failure, and after a change of settings or secrets, the next push is deployed', async () => {
  await deploy(FIRST)
  const { answers } = agents
  const build = answers['image.build']
  answers['image.build'] = () => {
    throw new Error('it broke')
  }
  assert.equal((await deploy(SECOND, { kind: 'api', by: 'test' })).state, 'failed')
  answers['image.build'] = build as NonNullable<typeof build>
  assert.equal((await deploy(SECOND)).outcome, 'deployed')
  assert.equal((await deploy(SECOND)).outcome, 'unaffected')
  await override({ watch: ['shop'], port: 81 }, store.clock.now() + 1)
  assert.equal((await deploy(SECOND)).outcome, 'deployed')
})

test('what is set while a deployment is at work is brought by the next push', async () => {
  await deploy(FIRST)
  const build = agents.answers['image.build']
  let set = false
  agents.answers['image.build'] = async (params, options) => {
    // Times are compared by the millisecond.
    await store.clock.sleep(5)
    await override({ watch: ['shop'], port: 81 }, store.clock.now())
    await store.clock.sleep(5)
    set = true
    return await build?.(params, options)
  }
  changed = ['shop/a.ts']
  assert.equal((await deploy(SECOND)).outcome, 'deployed')
  agents.answers['image.build'] = build as NonNullable<typeof build>
  assert.ok(set)
  changed = []
  assert.equal((await deploy(SECOND)).outcome, 'deployed')
  assert.equal((await deploy(SECOND)).outcome, 'unaffected')
})

test('a failure is not hidden by a push after it that asks not to be deployed', async () => {
  await deploy(FIRST)
  const build = agents.answers['image.build']
  agents.answers['image.build'] = () => {
    throw new Error('it broke')
  }
  assert.equal((await deploy(SECOND, { kind: 'api', by: 'test' })).state, 'failed')
  agents.answers['image.build'] = build as NonNullable<typeof build>
  assert.equal((await deploy(SECOND, PUSH, appId, { skips: true })).outcome, 'skipped-by-message')
  assert.equal((await deploy(SECOND)).outcome, 'deployed')
})

for (const [what, containers, findings] of [
  ['has lost all containers', [], []],
  ['is stopped', [{ ...RUNNING, state: 'exited', exitCode: 137 }], []],
  ['has drifted', [RUNNING], [GONE]],
] as const) {
  test(`an app that ${what} is not unaffected by any push: it is deployed`, async () => {
    await deploy(FIRST)
    await see(containers, findings)
    assert.equal((await deploy(SECOND)).outcome, 'deployed')
    assert.deepEqual(asked, [])
  })
}

test('a push that is not for an app says what was seen of it last, and how long ago', async () => {
  await deploy(FIRST)
  const at = await see([RUNNING], [])
  const { outcome, evidence } = await deploy(SECOND)
  const { observed } = evidence as { observed: { age_seconds: number } }
  assert.ok(observed.age_seconds >= 90)
  assert.deepEqual(
    [outcome, observed],
    [
      'unaffected',
      {
        ...{ state: 'running', reason: null, at: new Date(at).toISOString() },
        ...{ age_seconds: observed.age_seconds, containers: 1 },
      },
    ],
  )
})

test('a push of what was rolled back says which release stays, and what was seen of it last', async () => {
  await deploy(FIRST)
  await store.db.updateTable('releases').set({ held_commit: SECOND }).execute()
  await see([], [])
  const { outcome, evidence } = await deploy(SECOND)
  const release = await store.db.selectFrom('releases').select('id').executeTakeFirstOrThrow()
  const { observed, ...facts } = evidence as { observed: { state: string; age_seconds: number } }
  assert.equal(outcome, 'held-by-rollback')
  assert.deepEqual(facts, { held: SECOND, release: release.id, from: FIRST })
  assert.equal(observed.state, 'missing')
  assert.ok(observed.age_seconds >= 90)
})

test('what cannot be compared is deployed', async () => {
  await deploy(FIRST)
  const { answers } = agents
  answers['repository.changes'] = () => ({ compared: 'unknown', changed: 0, watched: 0, examples: [] })
  assert.equal((await deploy(SECOND)).outcome, 'deployed')
  answers['repository.changes'] = () => {
    throw new Error('an older worker')
  }
  assert.equal((await deploy(FIRST)).outcome, 'deployed')
})

/** What the last look, 90 s ago, wrote down. */
async function see(containers: readonly object[], findings: readonly object[]): Promise<number> {
  const at = store.clock.now() - 90_000
  const drift = findings.length === 0 ? null : JSON.stringify({ findings, repairs: [], givenUpAt: null })
  const observed = JSON.stringify({ since: at, containers })
  await store.db.updateTable('apps').set({ observed, drift }).where('id', '=', appId).execute()
  const host = { name: 'local', role: 'worker', address: 'x:1', identity: '{}', created_at: 1 } as const
  await store.db
    .insertInto('hosts')
    .values({ ...host, observed_at: at })
    .execute()
  return at
}

async function override(overrides: object, at = 0, id = appId): Promise<void> {
  const columns = { overrides: JSON.stringify(overrides), updated_at: at }
  await store.db.updateTable('apps').set(columns).where('id', '=', id).execute()
}

async function deploy(commit: string, trigger: Trigger = PUSH, app = appId, more = {}) {
  const checkout = workingAnswers()['repository.checkout']
  agents.answers['repository.checkout'] = (params, options) => ({
    ...(checkout?.(params, options) as object),
    ...{ commit, ...more },
  })
  const { id } = await requestDeployment(store, { appId: app, kind: 'deploy', trigger })
  queue.wake()
  await queue.idle()
  return await readDeployment(store.db, id)
}

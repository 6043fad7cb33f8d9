import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import { newId } from '#lib/id.ts'
import { silentLogger } from '#lib/logger.ts'
import type { ManagerEvent } from '#manager/deployments/events.ts'
import { addApp, openTestStore, type TestStore } from '#manager/deployments/test-store.ts'
import { createFakeAgents, type FakeAgents } from '#manager/pipeline/test-agents.ts'
import { knownOf } from './baseline.ts'
import { readDrift } from './drift-state.ts'
import { observeHost } from './observer.ts'
import { aHost } from './test-seen.ts'
import { readBaseline } from './watch-drift.ts'

const PAUSED = aHost({ web: { facts: { state: 'paused' } } })
const MINUTE = 60_000

let store: TestStore
let agents: FakeAgents
let told: ManagerEvent[]
let now: number
let appId: string
let host: ReturnType<typeof aHost>
/** What the worker was told to be known. */
let known: unknown

beforeEach(async () => {
  store = await openTestStore()
  now = Date.parse('2026-11-21T12:00:00Z')
  told = []
  host = aHost()
  agents = createFakeAgents({
    'host.observe': params => {
      known = params.known
      return host
    },
  })
  appId = await addApp(store, 'shop')
  const row = { name: 'local', role: 'worker', address: 'x:1', identity: '{}', created_at: 1 } as const
  await store.db.insertInto('hosts').values(row).execute()
  store.events.subscribe(undefined, event => void told.push(event))
  await deployed('deployed')
  await look()
  told.length = 0
})

afterEach(() => store.close())

test('a quiet hour: whatever is volatile changes, and no drift is seen, told or written', async () => {
  const before = await app()
  for (let minute = 0; minute < 60; minute++) {
    const facts = { startedAt: new Date(now).toISOString(), restarts: minute % 2 }
    host = aHost({ web: { facts: { ...facts, health: minute % 7 === 3 ? 'starting' : 'healthy' } } })
    host = { ...host, containers: minute % 3 === 0 ? host.containers.toReversed() : host.containers }
    host = minute % 5 === 4 ? { ...host, routes: null } : host
    await look()
  }
  const after = await app()
  assert.deepEqual([after.drift, after.baseline], [null, before.baseline])
  assert.deepEqual(statesTold(), [])
  assert.deepEqual(known, knownOf([readBaseline(after) as never]))
})

test('what was changed is told once when it begins and once when it ends, and keeps its age between', async () => {
  host = PAUSED
  await look()
  const began = now
  await look()
  const [finding] = readDrift(await app()).findings
  assert.deepEqual([finding?.reason, finding?.since], ['shop-web-1 is paused', began])
  host = aHost()
  await look()
  assert.deepEqual(statesTold(), ['drifted', 'drift-ended'])
  assert.equal((await app()).drift, null)
})

test('while a deployment is at work nothing is judged, nor what was seen before it ended', async () => {
  const id = await begin()
  host = PAUSED
  await look()
  assert.equal((await app()).drift, null)
  agents.answers['host.observe'] = async () => {
    await end(id, 'deployed', now + 1)
    return PAUSED
  }
  await look()
  assert.deepEqual([(await app()).drift, statesTold()], [null, []])
})

test('what a deployment left is the new rule, but not one that changed nothing or left things halfway', async () => {
  host = PAUSED
  await look()
  await deployed('nothing-to-do', { steps: ['plan'] })
  await look()
  await deployed('return-incomplete')
  await look()
  assert.equal(readDrift(await app()).findings.length, 1)
  host = aHost({ web: { facts: { id: 'new', name: 'shop-web-2' }, parts: { memory: '1' } } })
  const id = await deployed('deployed')
  await look()
  assert.deepEqual([readBaseline(await app())?.deployment, (await app()).drift], [id, null])
})

test('what a deployment left of which nobody knows how it ended is the new rule as well', async () => {
  host = aHost({ web: { facts: { id: 'new', name: 'shop-web-2' }, parts: { memory: '1' } } })
  const id = await deployed('deployed')
  await store.db.updateTable('deployments').set({ outcome: null }).where('id', '=', id).execute()
  await look()
  assert.deepEqual([readBaseline(await app())?.deployment, (await app()).drift], [id, null])
})

test('what the plan says must run is drift when it ended, also before the first look', async () => {
  host = aHost({ job: { facts: { id: 'new' } } })
  const id = await begin()
  const plan = JSON.stringify({ verify: [{ key: 'verify', command: 'x', data: { mustRun: ['job'] } }] })
  await store.db.updateTable('deployments').set({ plan }).where('id', '=', id).execute()
  await end(id, 'deployed', now)
  await look()
  assert.deepEqual(
    readDrift(await app()).findings.map(({ reason }) => reason),
    ['shop-job-1 is exited (exit code 0)'],
  )
})

test('an app that only reports is left as it is', async () => {
  host = PAUSED
  await look()
  assert.deepEqual(await repairs(), [])
})

test('drift is repaired with the release that runs, three times in ten minutes, then given up and told', async () => {
  const release = await repairing()
  host = PAUSED
  for (let round = 0; round < 6; round++) {
    await look()
    await endRepairs()
  }
  const requested = await repairs()
  assert.equal(requested.length, 3)
  assert.deepEqual(
    requested.map(({ kind, wanted_release, trigger }) => [kind, wanted_release, JSON.parse(trigger)]),
    requested.map(() => ['deploy', release, { kind: 'drift', by: 'drift', detail: 'shop-web-1 is paused' }]),
  )
  assert.deepEqual(statesTold(), ['drifted', 'repairing', 'repairing', 'repairing', 'drift-given-up'])
  now += 20 * MINUTE
  await look()
  assert.equal((await repairs()).length, 3)
})

for (const [what, happens] of [
  ['a person deploys', () => deployed('deployed')],
  [
    'the drift ends',
    async () => {
      host = aHost()
    },
  ],
] as const) {
  test(`repairing that was given up is taken up again when ${what}`, async () => {
    await repairing()
    host = PAUSED
    for (let round = 0; round < 5; round++) {
      await look()
      await endRepairs()
    }
    await happens()
    await look()
    host = PAUSED
    now += 20 * MINUTE
    await look()
    assert.equal((await repairs()).length, 4)
  })
}

test('a repair never takes the place of what somebody asked for, nor brings back what is being removed', async () => {
  await repairing()
  host = PAUSED
  const waiting = await begin('queued')
  await look()
  await end(waiting, 'failed', now)
  await store.db.updateTable('deployments').set({ kind: 'remove' }).where('id', '=', waiting).execute()
  await look()
  assert.deepEqual(await repairs(), [])
})

test('R54 an app that made room for another one has not drifted, unless that one failed', async () => {
  await repairing()
  host = aHost({}, { containers: [] })
  const id = await begin()
  const other = await addApp(store, 'other')
  await store.db.updateTable('deployments').set({ app_id: other }).where('id', '=', id).execute()
  await store.db.insertInto('made_room').values({ deployment_id: id, app_id: appId }).execute()
  await look()
  await end(id, 'deployed', now)
  await look()
  assert.deepEqual([(await app()).drift, statesTold(), await repairs()], [null, [], []])
  await end(id, 'failed', now)
  await look()
  assert.deepEqual(statesTold(), ['drifted', 'repairing'])
})

async function look(): Promise<void> {
  now += MINUTE
  const clock = { ...systemClock, now: () => now }
  const parts = { ...store, clock, agents, logger: silentLogger, wake: () => undefined }
  await observeHost(parts, 'local')
}

const app = () => store.db.selectFrom('apps').selectAll().where('id', '=', appId).executeTakeFirstOrThrow()

const repairs = () =>
  store.db.selectFrom('deployments').selectAll().where('trigger', 'like', '%"kind":"drift"%').execute()

function statesTold(): unknown[] {
  return told.flatMap(({ kind, fields }) =>
    kind === 'app' && fields.state !== 'observed' ? [fields.state] : [],
  )
}

async function begin(state: 'running' | 'queued' = 'running'): Promise<string> {
  const id = newId()
  const trigger = JSON.stringify({ kind: 'api', by: 'ada' })
  await store.db
    .insertInto('deployments')
    .values({
      ...{ id, app_id: appId, kind: 'deploy', state, trigger, cancel_requested: 0, created_at: now },
      started_at: state === 'running' ? now : null,
    })
    .execute()
  return id
}

async function end(id: string, outcome: string, at: number, steps = ['plan', 'apply']): Promise<void> {
  const state = outcome === 'failed' || outcome === 'return-incomplete' ? 'failed' : 'succeeded'
  await store.db
    .updateTable('deployments')
    .set({ state, outcome, finished_at: at, started_at: at - 1 })
    .where('id', '=', id)
    .execute()
  for (const [position, name] of steps.entries()) {
    const step = { deployment_id: id, name, position, state: 'done', attempt: 1 } as const
    await store.db
      .insertInto('steps')
      .values({ ...step, started_at: at, deadline_at: at })
      .onConflict(conflict => conflict.doNothing())
      .execute()
  }
}

async function deployed(
  outcome: string,
  { steps = ['plan', 'apply'] }: { steps?: string[] } = {},
): Promise<string> {
  const id = await begin()
  await end(id, outcome, now, steps)
  return id
}

/** The repairs that were requested fail. */
async function endRepairs(): Promise<void> {
  for (const { id, finished_at } of await repairs()) {
    if (finished_at === null) {
      await end(id, 'failed', now, [])
    }
  }
}

async function repairing(): Promise<string> {
  const id = newId()
  await store.db.updateTable('apps').set({ overrides: '{"drift":"repair"}' }).execute()
  await store.db
    .insertInto('releases')
    .values({
      ...{ id, app_id: appId, deployment_id: id, commit: 'c' },
      config_hash: '',
      content: '{}',
      created_at: 1,
    })
    .execute()
  return id
}

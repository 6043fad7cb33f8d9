import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { seedApp, type TestServer, testServer } from './test-server.ts'

const SINCE = Date.parse('2026-11-21T12:00:00Z')
const FINDING = { kind: 'paused', what: 'shop-1', reason: 'shop-1 is paused', container: 'c1', since: SINCE }

let manager: TestServer
before(async () => {
  manager = await testServer()
  await seedApp(manager, 'shop')
})
after(() => manager.close())

async function drifted(state: object): Promise<void> {
  const drift = JSON.stringify({ findings: [FINDING], repairs: [], givenUpAt: null, ...state })
  await manager.parts.db.updateTable('apps').set({ drift }).execute()
}

const read = async (path: string) => (await manager.ask('GET', `/api/v1/apps/shop${path}`)).json()

test('drift is shown with reason and age, and in short with the app', async () => {
  await drifted({})
  const { findings, state, since, repairs, given_up_at } = await read('/drift')
  const [{ age_seconds, ...finding }] = findings
  assert.deepEqual(finding, { ...FINDING, since: new Date(SINCE).toISOString() })
  assert.ok(Number.isInteger(age_seconds))
  assert.deepEqual([state, since, repairs, given_up_at], ['drifted', finding.since, 0, null])
  const { drift } = await read('')
  assert.deepEqual(drift, {
    ...{ state: 'drifted', policy: 'report', since, findings: 1 },
    reason: 'shop-1 is paused',
  })
})

test('repairing that was given up is shown until then', async () => {
  await drifted({ repairs: [SINCE], givenUpAt: SINCE })
  const { state, repairs, given_up_at } = await read('/drift')
  assert.deepEqual([state, repairs, given_up_at], ['given-up', 1, new Date(SINCE).toISOString()])
})

test('what was found is not called the present while nobody can see the host', async () => {
  const baseline = '{"deployment":"d","containers":[]}'
  const observed = '{"since":1,"containers":[{"id":"c1"}]}'
  await manager.parts.db.updateTable('apps').set({ baseline, observed }).execute()
  const { state, findings } = await read('/drift')
  assert.deepEqual([state, findings.length], ['unknown', 1])
})

import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import type { WantedFirewall } from '#commands/firewall-data.ts'
import { OPENING_FORBIDDEN } from '#commands/firewall-errors.ts'
import type { Timer } from '#lib/clock.ts'
import { addApp, openTestStore, type TestStore } from '#manager/deployments/test-store.ts'
import { createFakeAgents, type FakeAgents } from '#manager/pipeline/test-agents.ts'
import { testParts } from '#manager/pipeline/test-queue.ts'
import { watchFirewalls } from './watch-firewalls.ts'

const OPENING = { protocol: 'tcp', first: 1883, last: 1883, sources: [] }
const HOUR_MS = 3_600_000

let store: TestStore
let agents: FakeAgents
let watching: Timer | undefined
/** What the guardian was told to open last and had confirmed; null: nothing yet. */
let confirmed: unknown
let pending: string | null
let brought: PromiseWithResolvers<void>

beforeEach(async () => {
  store = await openTestStore()
  confirmed = null
  pending = null
  brought = Promise.withResolvers()
  agents = createFakeAgents({
    'firewall.observe': () => ({
      confirmed,
      pending,
      open: [],
      kept: [],
      drift: [],
      repairs: 0,
      repairedAt: null,
    }),
    'firewall.apply': params => {
      confirmed = (params as unknown as WantedFirewall).openings
      return { change: 'c1', opened: [], closed: [] }
    },
    'firewall.confirm': () => {
      brought.resolve()
      return {}
    },
  })
  const host = { address: 'x:1', identity: '{"keyId":"0"}', created_at: 1 }
  await store.db
    .insertInto('hosts')
    .values([
      { ...host, name: 'local', role: 'worker', guardian: 'keeper' },
      { ...host, name: 'keeper', role: 'guardian' },
    ])
    .execute()
})

afterEach(async () => {
  watching?.close()
  await store.close()
})

async function addOpening(): Promise<string> {
  const app = await addApp(store, 'shop')
  const row = { protocol: 'tcp', first: 1883, last: 1883, sources: '[]' } as const
  await store.db
    .insertInto('openings')
    .values({ app_id: app, deployment_id: 'd', ...row })
    .execute()
  return app
}

function watch(): void {
  watching = watchFirewalls(testParts(store, agents), HOUR_MS)
}

test('a guardian that was away is brought to what apps want', async () => {
  await addOpening()
  watch()
  await brought.promise
  assert.deepEqual(confirmed, [OPENING])
})

test('what an app had open is closed when it is gone, whatever removed it', async () => {
  const app = await addOpening()
  confirmed = [OPENING]
  await store.db.deleteFrom('apps').where('id', '=', app).execute()
  watch()
  await brought.promise
  assert.deepEqual(confirmed, [])
})

test('a guardian that has what is wanted is told nothing, nor is one that waits for a confirmation', async () => {
  await addOpening()
  confirmed = [OPENING]
  watch()
  await until(() => agents.told.length === 1)
  confirmed = null
  pending = 'c0'
  store.events.publish('host', { name: 'local', state: 'guarded' })
  await until(() => agents.told.length === 2)
  pending = null
  store.events.publish('host', { name: 'local', state: 'guarded' })
  await brought.promise
  assert.deepEqual(agents.told, [
    ...['firewall.observe', 'firewall.observe'],
    ...['firewall.observe', 'firewall.apply', 'firewall.confirm'],
  ])
})

test('a guardian that was left for another one closes what it had open for that host', async () => {
  confirmed = [OPENING]
  await store.db.updateTable('hosts').set({ guardian: null }).where('name', '=', 'local').execute()
  watch()
  store.events.publish('host', { name: 'local', state: 'guarded', left: 'keeper' })
  await brought.promise
  assert.deepEqual(confirmed, [])
})

test('what the owner of a host forbids is asked for once, and again when something else is wanted', async () => {
  const app = await addOpening()
  confirmed = []
  agents.answers['firewall.apply'] = params => {
    const { openings } = params as unknown as WantedFirewall
    const problems = openings.flatMap(({ first }, index) =>
      first === OPENING.first ? [{ path: `openings.${index}`, message: 'tcp 1883 is forbidden' }] : [],
    )
    if (problems.length > 0) {
      throw OPENING_FORBIDDEN('tcp 1883').with({ problems })
    }
    confirmed = openings
    return { opened: [], closed: [] }
  }
  const look = async (commands: readonly string[]) => {
    agents.told.length = 0
    store.events.publish('host', { name: 'local', state: 'guarded' })
    await until(() => agents.told.length === commands.length)
    // Nothing more comes.
    await store.clock.sleep(50)
    assert.deepEqual(agents.told, commands)
  }
  const brings = ['firewall.observe', 'firewall.apply', 'firewall.apply', 'firewall.observe']
  watch()
  await until(() => agents.told.length === brings.length)
  await look(['firewall.observe'])
  await store.db
    .insertInto('openings')
    .values({ app_id: app, deployment_id: 'd', protocol: 'tcp', first: 1885, last: 1885, sources: '[]' })
    .execute()
  await look(brings)
  assert.deepEqual(confirmed, [{ ...OPENING, first: 1885, last: 1885 }])
  await look(['firewall.observe'])
})

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    await store.clock.sleep(10)
  }
}

import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import type { WantedFirewall } from '#commands/firewall-data.ts'
import { OPENING_FORBIDDEN } from '#commands/firewall-errors.ts'
import { readDeployment } from '#manager/deployments/queries.ts'
import type { Queue } from '#manager/deployments/queue.ts'
import { requestDeployment } from '#manager/deployments/request.ts'
import { addApp, openTestStore, type TestStore } from '#manager/deployments/test-store.ts'
import { PORT_TAKEN_BY_APP } from '#manager/firewall/errors.ts'
import { openingsAt } from '#manager/firewall/openings.ts'
import { claimPublished } from '#manager/firewall/published-ports.ts'
import { createFakeAgents, type FakeAgents, workingAnswers } from './test-agents.ts'
import { openTestQueue } from './test-queue.ts'

const PORT = { host: 1883, container: 1883, from: ['10.0.0.0/8'] }
const OPENING = { protocol: 'tcp', first: 1883, last: 1883, sources: ['10.0.0.0/8'] }

let store: TestStore
let agents: FakeAgents
let queue: Queue
/** Openings of each firewall.apply, in order. */
let applied: unknown[]

beforeEach(async () => {
  store = await openTestStore()
  applied = []
  agents = createFakeAgents({
    ...workingAnswers(),
    'firewall.apply': params => {
      const { openings } = params as unknown as WantedFirewall
      applied.push(openings)
      return { change: 'c1', opened: openings.map(({ first }) => `tcp ${first}`), closed: [] }
    },
    'firewall.confirm': () => ({}),
  })
  queue = openTestQueue(store, agents)
})

afterEach(async () => {
  await queue.close()
  await store.close()
})

async function addHosts(guardian: string | null): Promise<void> {
  const host = { address: 'x:1', identity: '{"keyId":"0"}', created_at: 1 }
  await store.db
    .insertInto('hosts')
    .values([
      { ...host, name: 'local', role: 'worker', guardian },
      { ...host, name: 'keeper', role: 'guardian', guardian: null },
    ])
    .execute()
}

/** Its repository describes it with these ports. */
function describes(...ports: object[]): void {
  const checkout = workingAnswers()['repository.checkout']
  agents.answers['repository.checkout'] = (params, options) => {
    const answer = checkout?.(params, options) as { paths: string[]; texts: Record<string, string> }
    const file = { version: 1, apps: { shop: { target: 'container', port: 8080, ports } } }
    return {
      ...answer,
      paths: [...answer.paths, 'fairlead.yaml'],
      texts: { ...answer.texts, 'fairlead.yaml': JSON.stringify(file) },
    }
  }
}

async function deployed(appId: string, kind: 'deploy' | 'remove' = 'deploy') {
  const { id } = await requestDeployment(store, { appId, kind, trigger: { kind: 'api', by: 'ada' } })
  queue.wake()
  await queue.idle()
  return await readDeployment(store.db, id)
}

function indexOf(command: string): number {
  return agents.told.indexOf(command)
}

test('R69 the ports that an app asks for are open before it starts, and closed when it is gone', async () => {
  await addHosts('keeper')
  describes(PORT)
  const app = await addApp(store, 'shop')
  const { state, error } = await deployed(app)
  assert.equal(state, 'succeeded', error?.message ?? '')
  assert.deepEqual(applied, [[OPENING]])
  assert.ok(indexOf('firewall.apply') < indexOf('firewall.confirm'))
  assert.ok(indexOf('firewall.confirm') < indexOf('container.start'))
  const removed = await deployed(app, 'remove')
  assert.equal(removed.state, 'succeeded', removed.error?.message ?? '')
  assert.deepEqual(applied.at(-1), [])
  assert.ok(agents.told.lastIndexOf('container.remove') < agents.told.lastIndexOf('firewall.apply'))
})

test('R69 a commit that wants a port no more closes it once its release serves', async () => {
  await addHosts('keeper')
  describes(PORT, { ...PORT, host: 1884 })
  const app = await addApp(store, 'shop')
  await deployed(app)
  agents.told.length = 0
  describes(PORT)
  const { state, error } = await deployed(app)
  assert.equal(state, 'succeeded', error?.message ?? '')
  assert.deepEqual(applied.at(-1), [OPENING])
  assert.ok(indexOf('route.point') < agents.told.lastIndexOf('firewall.apply'))
  assert.deepEqual(await openingsAt(store.db, 'keeper'), [{ app: 'shop', ...OPENING }])
})

test('A10 two apps that want one port of a host: the second is refused before anything of it is started', async () => {
  await addHosts('keeper')
  const other = await addApp(store, 'other')
  await store.db
    .insertInto('openings')
    .values({ app_id: other, deployment_id: 'd', protocol: 'tcp', first: 1880, last: 1890, sources: '[]' })
    .execute()
  describes(PORT)
  const { state, error, failedStep } = await deployed(await addApp(store, 'shop'))
  assert.deepEqual([state, failedStep, error?.code], ['failed', 'open-ports', 'PORT_TAKEN_BY_APP'])
  assert.doesNotMatch(JSON.stringify(error), /"other"/)
  assert.equal(indexOf('container.start'), -1)
  assert.equal(indexOf('firewall.apply'), -1)
})

test('A10 a port that another app is about to bind is refused before anything is started, open or not', async () => {
  await addHosts(null)
  const other = await addApp(store, 'other')
  const shop = await addApp(store, 'shop')
  const claim = { app: { id: other, host: 'local' }, deployment: 'd', engine: undefined }
  await claimPublished(store.db, { ...claim, ports: [{ protocol: 'tcp', first: 1880, last: 1890 }] })
  describes({ host: 1883, container: 1883 })
  const { state, error, failedStep } = await deployed(shop)
  assert.deepEqual([state, failedStep, error?.code], ['failed', 'plan', 'PORT_TAKEN_BY_APP'])
  assert.doesNotMatch(JSON.stringify(error), /"other"/)
  assert.deepEqual([indexOf('image.build'), indexOf('container.start')], [-1, -1])

  const udp = { protocol: 'udp', first: 1880, last: 1890 }
  await claimPublished(store.db, { ...claim, ports: [udp] })
  assert.equal((await deployed(shop)).state, 'succeeded', 'another protocol')
  const port = { protocol: 'tcp', first: 1883, last: 1883 }
  for (const [what, changes] of [
    ['the port that the release has by now', { ports: [port] }],
    ['also at one address', { ports: [{ ...port, address: '10.0.0.1' }] }],
  ] as const) {
    await assert.rejects(claimPublished(store.db, { ...claim, ...changes }), PORT_TAKEN_BY_APP.matches, what)
  }
  await claimPublished(store.db, { ...claim, engine: 'other', ports: [port] })
  const removed = await deployed(shop, 'remove')
  assert.equal(removed.state, 'succeeded', removed.error?.message ?? '')
  await claimPublished(store.db, { ...claim, ports: [port] })
})

test('A10 an app whose removal was overtaken by a push that failed holds no port', async () => {
  await addHosts(null)
  const shop = await addApp(store, 'shop')
  describes({ host: 1883, container: 1883 })
  assert.equal((await deployed(shop)).state, 'succeeded')
  const remove = agents.answers['container.remove']
  agents.answers['container.remove'] = async (params, options) => {
    const push = JSON.stringify({ kind: 'poll', by: 'x' })
    await store.db
      .updateTable('deployments')
      .set({ then_trigger: push })
      .where('kind', '=', 'remove')
      .execute()
    agents.answers['repository.checkout'] = () => {
      throw new Error('the Git host is away')
    }
    return await remove?.(params, options)
  }
  const removed = await deployed(shop, 'remove')
  assert.equal(removed.state, 'succeeded', removed.error?.message ?? '')
  const ends = await store.db.selectFrom('deployments').select('state').orderBy('id').execute()
  assert.deepEqual(
    ends.map(({ state }) => state),
    ['succeeded', 'succeeded', 'failed'],
  )
  assert.deepEqual(await store.db.selectFrom('published_ports').selectAll().execute(), [])
})

test('what the owner of a host forbids to one app holds up neither the ports of others nor their closing', async () => {
  await addHosts('keeper')
  const other = await addApp(store, 'other')
  const row = { app_id: other, deployment_id: 'd', protocol: 'tcp', sources: '[]' } as const
  // Beside the other's own: in one list they would be one range.
  const forbidden = { ...row, first: 1884, last: 1884 }
  await store.db.insertInto('openings').values([forbidden]).execute()
  const apply = agents.answers['firewall.apply']
  agents.answers['firewall.apply'] = (params, options) => {
    const { openings } = params as unknown as WantedFirewall
    const problems = openings.flatMap(({ first, last }, index) =>
      first <= 1885 && last >= 1884
        ? [{ path: `openings.${index}`, message: `tcp ${last} is forbidden` }]
        : [],
    )
    if (problems.length > 0) {
      throw OPENING_FORBIDDEN('tcp 1884').with({ problems })
    }
    return apply?.(params, options)
  }
  describes({ ...PORT, from: undefined, open: true })
  const shop = await addApp(store, 'shop')
  const { state, error } = await deployed(shop)
  assert.equal(state, 'succeeded', error?.message ?? '')
  assert.deepEqual(applied, [[{ ...OPENING, sources: [] }]])
  describes({ ...PORT, host: 1885 })
  const own = await deployed(shop)
  assert.deepEqual(
    [own.state, own.failedStep, own.error?.code],
    ['failed', 'open-ports', 'OPENING_FORBIDDEN'],
  )
  assert.match(own.error?.message ?? '', /tcp 1885 is forbidden/)
  assert.equal((await deployed(shop, 'remove')).state, 'succeeded')
  assert.deepEqual(applied.at(-1), [], 'closed although the other still wants what it may not have')
})

test('lists of more addresses than a guardian takes are refused by name, and leave what is open', async () => {
  await addHosts('keeper')
  const networks = Array.from({ length: 19_000 }, (_, at) => `2001:db8:${at.toString(16)}:0:1000::/68`)
  const list = { fetched_at: 1, asked_at: 1, problem: null, created_at: 1, source: '{}' }
  await store.db
    .insertInto('address_lists')
    .values({ ...list, name: 'large', networks: JSON.stringify(networks) })
    .execute()
  const row = { deployment_id: 'd', ...OPENING, protocol: 'tcp', sources: '["10.0.0.0/8"]' } as const
  await store.db
    .insertInto('openings')
    .values({ app_id: await addApp(store, 'other'), ...row })
    .execute()
  describes({ ...PORT, host: 1885, from: ['@large'] })
  const { state, error } = await deployed(await addApp(store, 'shop'))
  assert.deepEqual([state, error?.code], ['failed', 'ADDRESSES_TOO_MANY'])
  assert.match(error?.message ?? '', /tcp 1885 .*19000 networks, most of them of "large"/)
  assert.deepEqual(applied.at(-1), [OPENING])
})

test('R81 without a guardian a port that is to be open fails the deployment and says what to do', async () => {
  await addHosts(null)
  describes(PORT)
  const { state, error } = await deployed(await addApp(store, 'shop'))
  assert.deepEqual([state, error?.code], ['failed', 'GUARDIAN_MISSING'])
  assert.match(error?.hint ?? '', /fairlead firewall guard local/)
  assert.equal(indexOf('container.start'), -1)
})

test('a port that nobody asks to be opened needs no guardian', async () => {
  await addHosts(null)
  const { from: _, ...plain } = PORT
  describes(plain)
  const { state, error } = await deployed(await addApp(store, 'shop'))
  assert.equal(state, 'succeeded', error?.message ?? '')
  assert.equal(indexOf('firewall.apply'), -1)
})

test('a deployment that fails leaves no opening behind', async () => {
  await addHosts('keeper')
  describes(PORT)
  agents.answers['container.start'] = () => {
    throw new Error('it does not start')
  }
  const { state } = await deployed(await addApp(store, 'shop'))
  assert.equal(state, 'failed')
  assert.deepEqual(applied, [[OPENING]])
  assert.deepEqual(await openingsAt(store.db, 'keeper'), [])
})

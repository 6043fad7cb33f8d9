import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { SeenFirewall } from '#commands/firewall-data.ts'
import type { HostDocument } from '#contract/rest/hosts.ts'
import { seedApp, type TestServer, testServer } from './test-server.ts'

const OPENING = { protocol: 'tcp', first: 1883, last: 1883, sources: ['10.0.0.0/8'] } as const
const SSH = { protocol: 'tcp', first: 22, last: 22, sources: [] } as const

let manager: TestServer
let seen: SeenFirewall
before(async () => {
  seen = {
    ...{ confirmed: null, open: null, kept: [SSH] as never, drift: [], pending: null },
    ...{ repairs: 0, repairedAt: null },
  }
  manager = await testServer({
    hosts: ['local', 'keeper'],
    answer: command => (command === 'firewall.observe' ? seen : undefined),
  })
  const { db } = manager.parts
  await db.updateTable('hosts').set({ role: 'guardian' }).where('name', '=', 'keeper').execute()
  const away = { name: 'away', role: 'guardian', address: 'x:1', identity: '{"keyId":"1"}' } as const
  await db
    .insertInto('hosts')
    .values({ ...away, created_at: 1 })
    .execute()
})
after(() => manager.close())

test('R81 a guardian is assigned to a worker, and only a guardian, and only to a worker', async () => {
  const assign = (host: string, guardian: string | null) =>
    manager.ask('PUT', `/api/v1/hosts/${host}/guardian`, { guardian })
  assert.equal((await assign('keeper', 'keeper')).json().code, 'NOT_A_WORKER')
  assert.equal((await assign('local', 'local')).json().code, 'NOT_A_GUARDIAN')
  assert.equal((await assign('local', 'nobody')).json().code, 'HOST_NOT_FOUND')
  const listed = async () => (await manager.ask('GET', '/api/v1/hosts')).json().items as HostDocument[]
  const advised = async () => (await listed()).filter(({ advice }) => advice !== null)
  assert.deepEqual(
    (await advised()).map(({ name, guardian }) => [name, guardian]),
    [['local', null]],
  )
  assert.match((await advised())[0]?.advice ?? '', /"fairlead firewall guard local <guardian>"/)
  const { items } = (await assign('local', 'keeper')).json()
  assert.deepEqual(await advised(), [])
  assert.equal((await listed()).find(({ name }) => name === 'local')?.guardian, 'keeper')
  assert.deepEqual(
    items.map(({ guardian, workers }: { guardian: string; workers: string[] }) => [guardian, workers]),
    [
      ['away', []],
      ['keeper', ['local']],
    ],
  )
  assert.equal((await manager.ask('DELETE', '/api/v1/hosts/keeper')).json().code, 'HOST_IN_USE')
})

test('the firewall shows what apps want, what is open, and whether that is the same', async () => {
  const { app } = await seedApp(manager, 'broker')
  const { sources, ...ports } = OPENING
  await manager.parts.db
    .insertInto('openings')
    .values({ app_id: app, deployment_id: 'd', ...ports, sources: JSON.stringify(sources) })
    .execute()
  const keeper = async () =>
    (await manager.ask('GET', '/api/v1/firewall'))
      .json()
      .items.find(({ guardian }: { guardian: string }) => guardian === 'keeper')
  assert.deepEqual((await keeper()).wanted, [{ app: 'broker', ...OPENING, sources: [...sources] }])
  assert.deepEqual([(await keeper()).in_sync, (await keeper()).open], [false, null])
  seen = { ...seen, confirmed: [OPENING as never], open: [SSH, OPENING] as never }
  assert.equal((await keeper()).in_sync, true)
  seen = { ...seen, drift: ['not ours: rule'] }
  assert.deepEqual([(await keeper()).in_sync, (await keeper()).drift], [false, ['not ours: rule']])
})

test('A10 a worker does not come to a guardian where its apps want a port that another app has', async () => {
  const { db } = manager.parts
  const second = { name: 'second', role: 'worker', address: 'x:2', identity: '{"keyId":"2"}' } as const
  await db
    .insertInto('hosts')
    .values({ ...second, created_at: 1 })
    .execute()
  const { app } = await seedApp(manager, 'beside')
  await db.updateTable('apps').set({ host: 'second' }).where('id', '=', app).execute()
  const wants = async (port: number) => {
    const row = { ...OPENING, first: port - 3, last: port, sources: '[]' }
    await db.deleteFrom('openings').where('app_id', '=', app).execute()
    await db
      .insertInto('openings')
      .values({ app_id: app, deployment_id: 'd', ...row })
      .execute()
    return await manager.ask('PUT', '/api/v1/hosts/second/guardian', { guardian: 'keeper' })
  }
  const refused = await wants(OPENING.first)
  assert.deepEqual([refused.statusCode, refused.json().code], [409, 'PORT_TAKEN_BY_APP'])
  const { guardian } = await db
    .selectFrom('hosts')
    .select('guardian')
    .where('name', '=', 'second')
    .executeTakeFirstOrThrow()
  assert.equal(guardian, null)
  assert.equal((await wants(OPENING.first - 1)).statusCode, 200)
})

test('a guardian that cannot be asked is listed with the reason', async () => {
  const { items } = (await manager.ask('GET', '/api/v1/firewall')).json()
  const [away] = items
  assert.deepEqual([away.guardian, away.in_sync, away.open], ['away', false, null])
  assert.match(away.problem, /away/)
})

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { WebSocket } from 'ws'
import { createClient } from '#cli/client.ts'
import type { HostDocument } from '#contract/rest/hosts.ts'
import { newTestDatabase } from '#manager/store/test-database.ts'
import { type PostgresServer, startPostgresServer, WITHOUT_POSTGRES } from './world/postgres-server.ts'
import { type SeverableWay, startSeverableWay } from './world/severable-way.ts'
import {
  lastWords,
  logOf,
  type OneOfSeveral,
  refusalOf,
  startOneOfSeveral,
  startWorkerBeside,
  timesOf,
  type WorkerBeside,
  within,
} from './world/several-managers.ts'
import { temporaryFolder } from './world/temporary-folder.ts'

describe('several managers on one PostgreSQL database', { skip: WITHOUT_POSTGRES }, () => {
  const stack = new AsyncDisposableStack()
  let server: PostgresServer
  let folder = ''
  let environment: Record<string, string> = {}
  /** Between the first manager and its database. */
  let way: SeverableWay
  let worker: WorkerBeside
  let one: OneOfSeveral
  let other: OneOfSeveral
  let third: OneOfSeveral
  let token = ''
  before(async () => {
    server = await startPostgresServer(stack)
    folder = await temporaryFolder(stack)
    const { database } = await newTestDatabase(server.url)
    way = await startSeverableWay(stack, join(server.folder, '.s.PGSQL.5432'))
    environment = {
      FAIRLEAD_DATABASE_URL: server.url.replace('/postgres?', `/${database}?`),
      FAIRLEAD_PUBLIC_URL: 'https://fairlead.example.org',
      FAIRLEAD_TRUSTED_PROXIES: '127.0.0.0/8',
      FAIRLEAD_ALLOW_PRIVATE: '127.0.0.0/8',
    }
    one = await startOneOfSeveral(stack, {
      name: 'one',
      folder: join(folder, 'one'),
      environment: {
        ...environment,
        FAIRLEAD_DATABASE_URL: `postgres://fairlead@127.0.0.1:${way.port}/${database}`,
      },
    })
    const keysFrom = one.folder
    other = await startOneOfSeveral(stack, {
      name: 'other',
      folder: join(folder, 'other'),
      environment,
      keysFrom,
    })
    worker = await startWorkerBeside(stack, one.folder)
    const client = clientOf(one)
    await client.send('POST', '/hosts', { address: worker.address, identity: worker.identity })
    token = await client.authorization()
  })
  after(() => stack.disposeAsync())

  const clientOf = ({ url }: OneOfSeveral) =>
    createClient({ managerUrl: url, token: undefined, tokenFile: join(one.folder, 'admin-token') })
  const get = (manager: OneOfSeveral, path: string, headers: Record<string, string> = {}) =>
    fetch(`${manager.url}${path}`, { headers: { authorization: token, ...headers } })
  const readinessOf = async (manager: OneOfSeveral) =>
    (await (await get(manager, '/health/ready')).json()) as { store?: boolean; leader?: string }
  const online = (manager: OneOfSeveral) =>
    within('the host to be online', async () => {
      const { items } = await clientOf(manager).get<{ items: HostDocument[] }>('/hosts')
      return items.some(host => host.online) || undefined
    })

  test('one leads; the other one says that it stands by, and hands on what it is asked', async () => {
    await online(one)
    // What the process may not read it must not call zero.
    const figures = await (await get(one, '/metrics')).text()
    assert.match(figures, /^process_resident_memory_bytes [1-9]/m)
    assert.match(figures, /^fairlead_store_bytes [1-9]\d{5}/m)
    const ready = await within('the other one to follow', async () => {
      const answer = await get(other, '/health/ready')
      return answer.status === 200 ? ((await answer.json()) as object) : undefined
    })
    assert.deepEqual(ready.found, { ok: true, standby: true, leader: 'one' })
    assert.equal((await get(other, '/health/live')).status, 200)
    await online(other)
    const wrong = await get(other, '/api/v1/apps', { authorization: 'Bearer no' })
    assert.equal(wrong.status, 401)
    assert.equal(wrong.headers.get('content-type'), 'application/problem+json; charset=utf-8')
  })

  test('a manager without the keys of the others ends, and says what to do', async () => {
    const without = { name: 'third', folder: join(folder, 'third'), environment }
    await assert.rejects(startOneOfSeveral(stack, without), /has not the keys of the others/)
  })

  test('a stream of events and a socket for a terminal go through', async () => {
    const gone = new AbortController()
    const answer = await fetch(`${other.url}/api/v1/events`, {
      headers: { authorization: token, accept: 'text/event-stream' },
      signal: gone.signal,
    })
    assert.equal(answer.headers.get('content-type'), 'text/event-stream; charset=utf-8')
    const first = await answer.body?.getReader().read()
    assert.match(Buffer.from(first?.value ?? []).toString(), /^retry: /)
    gone.abort()
    // There is no such system: it is the leader that says so, on the way of an upgrade.
    const socket = new WebSocket(`${other.url.replace('http', 'ws')}/api/v1/systems/none/console`, {
      headers: { authorization: token },
    })
    const status = await new Promise(resolve => {
      socket.on('unexpected-response', (_, response) => resolve(response.statusCode))
      socket.on('error', error => resolve(error))
    })
    assert.equal(status, 404)
  })

  test('a killed leader is followed by the other one, with its identity and a higher epoch', async t => {
    const client = clientOf(other)
    await one.part.kill()
    const { ms } = await within('the other one to lead', async () => {
      return (await readinessOf(other)).store || undefined
    })
    t.diagnostic(`it led after ${ms} ms`)
    // What docs/database.md promises, and no figure of this machine.
    assert.ok(ms < 10_000, `${ms} ms`)
    await online(other)
    assert.ok((await client.get<{ items: unknown[] }>('/hosts')).items.length === 1)
    assert.match(await logOf(other), /"event":"manager.leading".*"epoch":2/)
  })

  test('who led before stands by when it is started again, and goes on when the other one ends', async () => {
    await one.part.start()
    await online(one)
    assert.deepEqual(await (await get(one, '/health/ready')).json(), {
      ok: true,
      standby: true,
      leader: 'other',
    })
    await other.part.close()
    await within('the first one to lead again', async () => {
      return (await readinessOf(one)).store || undefined
    })
    await online(one)
  })

  test('a leader that is cut off from the database has ended before one of two others leads, and does not come back', async t => {
    await other.part.start()
    const beside = { name: 'third', folder: join(folder, 'third'), environment, keysFrom: one.folder }
    third = await startOneOfSeveral(stack, beside)
    const others = [other, third]
    for (const standing of others) {
      await within(
        'it to follow',
        async () => (await readinessOf(standing)).leader === 'one' || undefined,
        () => lastWords([one, ...others]),
      )
    }
    way.cut()
    const written = clientOf(one).send('POST', '/projects', { name: 'written-in-the-cut' })
    const refused = assert.rejects(written)
    const { found: leader, ms } = await within('one of the others to lead', async () => {
      const ready = await Promise.all(others.map(readinessOf))
      return others[ready.findIndex(({ store }) => store)]
    })
    t.diagnostic(`it led ${ms} ms after the cut`)
    await refused
    // By the clock of the one machine that all of them are on here.
    const [ended = ''] = await timesOf([one], 'LEADERSHIP_LOST')
    const [freed = ''] = await timesOf(others, 'manager.leader-ended')
    assert.ok(ended !== '' && ended < freed, `it ended at ${ended}, and the database was free at ${freed}`)
    await online(leader)
    assert.equal(await refusalOf(worker, { managerFolder: one.folder, epoch: 3 }), 'STALE_EPOCH')

    way.heal()
    await one.part.start()
    await within('it to stand by', async () => (await readinessOf(one)).leader === leader.name || undefined)
    const follower = others.find(each => each !== leader) ?? other
    await within(
      'it to follow',
      async () => (await readinessOf(follower)).leader === leader.name || undefined,
    )
    const { items } = await clientOf(leader).get<{ items: { name: string }[] }>('/projects')
    assert.deepEqual(
      items.filter(({ name }) => name === 'written-in-the-cut'),
      [],
    )
    await online(one)
  })

  test('a leader that loses its connection to the database ends, and says why', async () => {
    const ready = await Promise.all([other, third].map(readinessOf))
    const leader = ready[0]?.store ? other : third
    assert.deepEqual(await timesOf([leader], 'LEADERSHIP_LOST'), [])
    await server.kill()
    await within('it to say so', async () => (await timesOf([leader], 'LEADERSHIP_LOST'))[0])
  })
})

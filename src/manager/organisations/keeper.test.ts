import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { type Clock, systemClock } from '#lib/clock.ts'
import { type TestServer, testServer } from '#manager/api/test-server.ts'
import { PROBLEM_OUTBOX, toldMessages } from '#manager/outbox/test-outbox.ts'
import { startKeeper } from './keeper.ts'
import { FakeHost } from './test-fake-host.ts'

const HOUR_MS = 3_600_000
let host: FakeHost
let manager: TestServer
let now = 0
let tick = () => {}

beforeEach(async () => {
  host = await new FakeHost().open()
  host.repositories = [{ id: 1, full_name: 'acme/shop', topics: ['fairlead'] }]
  manager = await testServer({ http: host.http })
  const body = { name: 'acme', git_host: 'github', discovery: true }
  assert.equal((await manager.ask('POST', '/api/v1/organisations', body)).statusCode, 201)
  now = systemClock.now()
  const every = (_: number, run: () => void) => {
    tick = run
    return { close: () => undefined }
  }
  const clock: Clock = { ...systemClock, now: () => now, every }
  const outbox = { ...manager.parts.outbox, ...PROBLEM_OUTBOX }
  startKeeper({ ...manager.parts, clock, outbox }, { random: () => 0.5 })
})
afterEach(async () => {
  await manager.close()
  await host.close()
})

test('R65 an organisation is listed by itself when it was added, then once a day, and an unchanged list is not sent again', async () => {
  await pass(1000)
  assert.equal((await manager.ask('GET', '/api/v1/repositories/shop')).statusCode, 200)
  const asked = listings()
  await pass(23 * HOUR_MS)
  assert.equal(listings(), asked)
  await pass(HOUR_MS)
  assert.deepEqual([listings(), host.unchanged], [asked + 1, 1])
  host.repositories.push({ id: 2, full_name: 'acme/new', topics: ['fairlead'] })
  await pass(24 * HOUR_MS)
  assert.equal((await manager.ask('GET', '/api/v1/repositories/new')).statusCode, 200)
})

test('a Git host in trouble is asked again later and later, up to every six hours', async () => {
  await pass(1000)
  host.refusal = { status: 500 }
  await pass(24 * HOUR_MS)
  const gaps: number[] = []
  let last = now
  for (let passed = 0; passed < 30 * HOUR_MS; passed += 60_000) {
    const asked = host.asked.length
    await pass(60_000)
    if (host.asked.length > asked) {
      gaps.push(Math.round((now - last) / 60_000))
      last = now
    }
  }
  assert.deepEqual(gaps.slice(0, 8), [5, 10, 20, 40, 80, 160, 320, 360])
})

test('a refused token is told at once and once, a host in trouble after three times, and anew after it has worked', async () => {
  await pass(1000)
  host.refusal = { status: 401 }
  await pass(24 * HOUR_MS)
  assert.deepEqual(await told(), ['TOKEN_REFUSED'])
  for (let count = 0; count < 3; count += 1) {
    await pass(7 * HOUR_MS)
  }
  assert.deepEqual(await told(), ['TOKEN_REFUSED'])
  host.refusal = undefined
  await pass(7 * HOUR_MS)
  host.refusal = { status: 500 }
  await pass(24 * HOUR_MS)
  await pass(7 * HOUR_MS)
  assert.equal((await told()).length, 1)
  for (let count = 0; count < 3; count += 1) {
    await pass(7 * HOUR_MS)
  }
  assert.deepEqual(await told(), ['TOKEN_REFUSED', 'HOST_API_FAILED'])
})

test('repositories that have gone together are told in one message, and an organisation that has gone too', async () => {
  host.repositories.push({ id: 2, full_name: 'acme/new', topics: ['fairlead'] })
  await pass(1000)
  const [kept] = host.repositories.splice(0)
  await pass(24 * HOUR_MS)
  const [message] = await toldMessages(manager.parts.db)
  assert.deepEqual(
    [message?.organisation, message?.title, message?.detail],
    ['acme', 'acme: 2 of its repositories are not deployed any more', 'shop, new'],
  )
  if (kept) {
    host.repositories.push(kept)
  }
  await pass(24 * HOUR_MS)
  host.organisation = { id: 666, login: 'acme' }
  await pass(24 * HOUR_MS)
  await pass(7 * HOUR_MS)
  const later = (await toldMessages(manager.parts.db)).slice(1)
  assert.deepEqual(
    later.map(({ title, error }) => [title, error?.code]),
    [['acme: nothing of it is deployed any more', 'ORGANISATION_REPLACED']],
  )
})

async function told() {
  return (await toldMessages(manager.parts.db)).map(({ error }) => error?.code)
}

function listings(): number {
  return host.asked.filter(path => path.endsWith('/repos')).length
}

/** Lets time pass at once, and all that is due then happen. */
async function pass(ms: number): Promise<void> {
  now += ms
  const dueBefore = await dueAt()
  tick()
  for (let turn = 0; dueBefore <= now && (await dueAt()) === dueBefore && turn < 1000; turn += 1) {
    await new Promise(setImmediate)
  }
  // The keeper is free again a moment later.
  await new Promise(setImmediate)
}

async function dueAt(): Promise<number> {
  const { due_at } = await manager.parts.db
    .selectFrom('organisations')
    .select('due_at')
    .executeTakeFirstOrThrow()
  return due_at
}

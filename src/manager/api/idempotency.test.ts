import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { seedApp, type TestServer, testServer } from './test-server.ts'

let manager: TestServer
before(async () => {
  manager = await testServer()
  await seedApp(manager, 'shop')
})
after(() => manager.close())

test('a write with the same key happens once and is answered alike', async () => {
  const first = await create('key-1', { name: 'one', repository: 'shop-repo' })
  const second = await create('key-1', { name: 'one', repository: 'shop-repo' })
  assert.deepEqual([first.statusCode, second.statusCode], [201, 201])
  assert.equal(second.body, first.body)
  assert.equal(second.headers['idempotent-replayed'], 'true')
})

test('a refusal is repeated too', async () => {
  const first = await create('key-2', { name: 'one', repository: 'shop-repo' })
  const second = await create('key-2', { name: 'one', repository: 'shop-repo' })
  assert.deepEqual([first.statusCode, second.statusCode], [409, 409])
  assert.equal(second.headers['content-type'], 'application/problem+json; charset=utf-8')
})

test('the same key for something else is refused', async () => {
  await create('key-3', { name: 'three', repository: 'shop-repo' })
  assert.equal(
    (await create('key-3', { name: 'four', repository: 'shop-repo' })).json().code,
    'IDEMPOTENCY_KEY_REUSED',
  )
})

test('two at once do it once', async () => {
  const answers = await Promise.all([
    create('key-4', { name: 'five', repository: 'shop-repo' }),
    create('key-4', { name: 'five', repository: 'shop-repo' }),
  ])
  const statuses = answers.map(answer => answer.statusCode).sort()
  assert.ok(statuses[0] === 201 && (statuses[1] === 201 || statuses[1] === 409), String(statuses))
})

test('what a killed process left without an answer is run again, however far ahead its clock was', async () => {
  const body = { name: 'six', repository: 'shop-repo' }
  await create('key-5', body)
  const { db } = manager.parts
  await db.deleteFrom('apps').where('name', '=', 'six').execute()
  await db.updateTable('idempotency').set({ status: 0, response: null }).where('key', '=', 'key-5').execute()
  assert.equal((await create('key-5', body)).json().code, 'IDEMPOTENCY_IN_PROGRESS')
  await db
    .updateTable('idempotency')
    .set({ run: 'killed', created_at: Number.MAX_SAFE_INTEGER })
    .where('key', '=', 'key-5')
    .execute()
  assert.equal((await create('key-5', body)).statusCode, 201)
})

test('a kept answer with a secret does not lie readable in the database', async () => {
  const headers = { 'idempotency-key': 'key-6' }
  const answer = await manager.ask('POST', '/api/v1/repositories/shop-repo/webhook-secret', {}, headers)
  const { secret } = answer.json()
  const rows = await manager.parts.db.selectFrom('idempotency').selectAll().execute()
  assert.doesNotMatch(JSON.stringify(rows), new RegExp(secret))
  const again = await manager.ask('POST', '/api/v1/repositories/shop-repo/webhook-secret', {}, headers)
  assert.equal(again.json().secret, secret)
})

test('a key that is none is refused', async () => {
  assert.equal((await create('', { name: 'x', repository: 'shop-repo' })).statusCode, 400)
  assert.equal((await create('a'.repeat(256), { name: 'x', repository: 'shop-repo' })).statusCode, 400)
})

async function create(key: string, body: object) {
  return await manager.ask('POST', '/api/v1/apps', body, { 'idempotency-key': key })
}

test('a request with a password in it is kept in no form that can be guessed at, and is still known again', async () => {
  const headers = { 'idempotency-key': 'sealed-1' }
  const secret = { value: 'hunter2-canary' }
  const write = (value: object) => manager.ask('PUT', '/api/v1/hosts/local/secrets/KEY', value, headers)
  assert.equal((await write(secret)).statusCode, 200)
  const kept = await manager.parts.db
    .selectFrom('idempotency')
    .selectAll()
    .where('key', '=', 'sealed-1')
    .executeTakeFirstOrThrow()
  assert.match(kept.request_sealed, /^v1\./)
  assert.equal((await write(secret)).headers['idempotent-replayed'], 'true')
  assert.equal((await write({ value: 'another' })).json().code, 'IDEMPOTENCY_KEY_REUSED')
})

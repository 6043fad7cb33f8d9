import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import { loadOrCreateIdentity, publicIdentity } from '#link/identity.ts'
import { seedApp, type TestServer, testServer } from './test-server.ts'

let manager: TestServer
before(async () => {
  manager = await testServer({ hosts: [] })
})
after(() => manager.close())

test('R76 a host is added with its public identity, listed with the fingerprint of its key, and removed', async () => {
  const identity = identityOf('box', 'worker')
  const added = await manager.ask('POST', '/api/v1/hosts', { address: '10.0.0.7:7443', identity })
  assert.equal(added.statusCode, 201)
  const { name, role, address, key_id, online, problem } = added.json()
  assert.deepEqual(
    { name, role, address, online, problem },
    { name: 'box', role: 'worker', address: '10.0.0.7:7443', online: false, problem: null },
  )
  assert.equal(key_id, identity.keyId)
  assert.equal(
    (await manager.ask('POST', '/api/v1/hosts', { address: 'x:1', identity })).json().code,
    'HOST_EXISTS',
  )
  assert.deepEqual((await manager.ask('GET', '/api/v1/hosts')).json().items, [added.json()])
  assert.equal((await manager.ask('DELETE', '/api/v1/hosts/box')).statusCode, 204)
  assert.equal((await manager.ask('DELETE', '/api/v1/hosts/box')).statusCode, 404)
})

test('a host that something runs on stays', async () => {
  await manager.ask('POST', '/api/v1/hosts', { address: 'x:1', identity: identityOf('local', 'worker') })
  await seedApp(manager, 'shop')
  const refused = await manager.ask('DELETE', '/api/v1/hosts/local')
  assert.equal(refused.json().code, 'HOST_IN_USE')
  assert.match(refused.json().detail, /shop, shop-repo/)
})

test('a host that was broken into is shut out at once, whatever runs on it, and another may take its place', async () => {
  const first = identityOf('broken', 'worker')
  await manager.ask('POST', '/api/v1/hosts', { address: 'x:1', identity: first })
  const { db } = manager.parts
  const { app } = await seedApp(manager, 'broken-shop')
  await db.updateTable('apps').set({ host: 'broken' }).where('id', '=', app).execute()
  assert.equal((await manager.ask('DELETE', '/api/v1/hosts/broken')).json().code, 'HOST_IN_USE')
  assert.equal((await manager.ask('DELETE', '/api/v1/hosts/broken?revoke=true')).statusCode, 204)
  const shown = async () => {
    const { items } = (await manager.ask('GET', '/api/v1/hosts')).json()
    return items.find(({ name }: { name: string }) => name === 'broken')
  }
  assert.equal((await shown()).online, false)
  const add = (identity: object) => manager.ask('POST', '/api/v1/hosts', { address: 'x:2', identity })
  assert.equal((await add(first)).json().code, 'HOST_KEY_REVOKED')
  assert.equal((await add(identityOf('broken', 'worker', 'another'))).statusCode, 201)
  assert.equal((await shown()).address, 'x:2')
  const row = await db.selectFrom('hosts').selectAll().where('name', '=', 'broken').executeTakeFirst()
  assert.equal(row?.revoked_at, null)
})

test("an identity that was changed, or is not a host's, is refused", async () => {
  const identity = identityOf('other', 'worker')
  const add = (given: object, address = 'x:1') =>
    manager.ask('POST', '/api/v1/hosts', { address, identity: given })
  assert.equal((await add({ ...identity, keyId: '0'.repeat(64) })).statusCode, 422)
  assert.equal((await add({})).statusCode, 422)
  assert.equal((await add(identityOf('boss', 'manager'))).json().code, 'NOT_A_HOST')
  for (const address of ['x', 'x:', 'http://x:1', 'x:1/path', 'x y:1', 'user@x:1']) {
    assert.equal((await add(identity, address)).statusCode, 422, address)
  }
})

test('what hosts have to pin can be read', async () => {
  assert.deepEqual((await manager.ask('GET', '/api/v1/hosts/manager-identity')).json(), {
    identity: manager.parts.identity(),
  })
})

function identityOf(name: string, role: 'worker' | 'manager', folder: string = name) {
  return publicIdentity(
    loadOrCreateIdentity({ folder: join(manager.folder, folder), clock: systemClock, name, role }),
  )
}

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { seedApp, type TestServer, testServer } from './test-server.ts'

let manager: TestServer
before(async () => {
  manager = await testServer()
  await seedApp(manager, 'shop')
})
after(() => manager.close())

test('R03 a repository says whom its files are encrypted for, and never what opens them', async () => {
  const path = '/api/v1/repositories/shop-repo/recipient'
  const first = (await manager.ask('GET', path)).json()
  assert.match(first.recipient, /^age1[a-z0-9]{50,}$/)
  assert.equal((await manager.ask('GET', path)).json().recipient, first.recipient)
  const renewed = await manager.ask('POST', path, {})
  assert.equal(renewed.statusCode, 200, renewed.body)
  const { recipient, earlier } = renewed.json()
  assert.notEqual(recipient, first.recipient)
  assert.equal(earlier, 1)
  assert.deepEqual((await manager.ask('GET', path)).json(), renewed.json())
  assert.doesNotMatch(renewed.body, /SECRET/i)
  const unknown = await manager.ask('GET', '/api/v1/repositories/nobody/recipient')
  assert.deepEqual([unknown.statusCode, unknown.json().code], [404, 'REPOSITORY_UNKNOWN'])
})

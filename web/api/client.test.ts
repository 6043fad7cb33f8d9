import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import type { DeploymentDocument } from '#contract/rest/deployments.ts'
import { seedApp, type TestServer, testServer } from '#manager/api/test-server.ts'
import { type ApiError, call, post, postOnce } from './client.ts'
import { keepToken } from './token.ts'

/** A manager behind a line that is cut: what was asked reaches it, and its answers get lost. */
let manager: TestServer
let toCut = 0
const line = createServer(async (asked, reply) => {
  const body = asked.method === 'GET' ? null : Buffer.concat(await Array.fromAsync(asked))
  const headers = Object.entries(asked.headers).filter(
    ([name]) => !/^(?:connection|content-length|host)$/.test(name),
  )
  const address = manager.server.server.address() as AddressInfo
  const answer = await direct(`http://127.0.0.1:${address.port}${asked.url}`, {
    method: asked.method ?? 'GET',
    headers: headers as [string, string][],
    body,
  })
  const text = Buffer.from(await answer.arrayBuffer())
  if (toCut > 0) {
    toCut -= 1
    reply.destroy()
    return
  }
  reply
    .writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'text/plain' })
    .end(text)
})
const direct = globalThis.fetch

before(async () => {
  manager = await testServer()
  await seedApp(manager, 'shop')
  await manager.server.listen({ port: 0, host: '127.0.0.1' })
  await new Promise<void>(resolve => line.listen(0, '127.0.0.1', resolve))
  const { port } = line.address() as AddressInfo
  // A page asks its own origin.
  globalThis.fetch = async (path, options) => await direct(`http://127.0.0.1:${port}${String(path)}`, options)
  keepToken(manager.token)
})
after(async () => {
  globalThis.fetch = direct
  line.close()
  line.closeAllConnections()
  await manager.close()
})

test('a write whose answer was cut off happens once, and its answer comes', async () => {
  toCut = 1
  const project = await post<{ name: string }>('/projects', { name: 'cut' })
  assert.equal(project.name, 'cut')
  assert.equal(toCut, 0)
})

test('one that nobody answered at all is the same when the person tries again, and another one is another', async () => {
  const before = await deployments()
  toCut = 2
  await assert.rejects(post('/apps/shop/deploy'), (error: ApiError) => error.code === 'NOT_REACHED')
  const made = await deployments()
  assert.equal(made.length, before.length + 1)
  const again = await post<DeploymentDocument>('/apps/shop/deploy')
  assert.deepEqual(await deployments(), made)
  assert.equal(again.id, made[0])
  await post(`/deployments/${again.id}/cancel`)
  const next = await post<DeploymentDocument>('/apps/shop/deploy')
  assert.notEqual(next.id, again.id)
})

test('of two clicks one makes something, and both hear of it', async () => {
  const body = { name: 'harbour' }
  const answers = await Promise.all([post('/projects', body), post('/projects', body)])
  assert.deepEqual(answers[0], answers[1])
  await assert.rejects(post('/projects', body), (error: ApiError) => error.status === 409)
})

test('what is removed while the line is cut is gone, and no error says so', async () => {
  await post('/projects', { name: 'gone' })
  toCut = 1
  await call('DELETE', '/projects/gone')
  await assert.rejects(call('GET', '/projects/gone'), (error: ApiError) => error.status === 404)
})

test('a sign-in is never repeated by itself', async () => {
  toCut = 1
  const asked = postOnce('/sign-in', { email: 'ada@example.org', password: 'a rope and a cleat' })
  await assert.rejects(asked, (error: ApiError) => error.code === 'NOT_REACHED')
})

async function deployments(): Promise<string[]> {
  const rows = await manager.parts.db.selectFrom('deployments').select('id').orderBy('id', 'desc').execute()
  return rows.map(row => row.id)
}

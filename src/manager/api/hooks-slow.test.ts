import assert from 'node:assert/strict'
import { createHmac, randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { seedApp, type TestServer, testServer } from './test-server.ts'
import { headOf, openSocket, rawRequest } from './test-socket.ts'

/** So many large bodies one address may have open. */
const MOST_OF_ADDRESS = 8
const LARGE = ['Content-Type: application/json', `Content-Length: ${5 * 1024 * 1024}`]

let manager: TestServer
let hook = { path: '', secret: '' }

before(async () => {
  manager = await testServer()
  await manager.server.listen({ host: '127.0.0.1', port: 0 })
  await seedApp(manager, 'shop')
  const path = '/api/v1/repositories/shop-repo/webhook-secret'
  const { url, secret } = (await manager.ask('POST', path, { git_host: 'github' })).json()
  hook = { path: new URL(url).pathname, secret }
})
after(() => manager.close())

test('W20 W26 senders that announce much and send nothing keep nobody out, and one address has few large bodies open', async () => {
  const idle = Array.from({ length: 30 }, () => openSocket(manager))
  let refused = 0
  for (const socket of idle) {
    socket.write(headOf(hook.path, LARGE))
    socket.once('data', data => (refused += Number(/^HTTP\/1\.1 503/.test(data.toString()))))
  }
  for (const deadline = Date.now() + 20_000; refused < 22 && Date.now() < deadline; ) {
    await setTimeout(20)
  }
  assert.equal((await push(0, '127.0.0.1')).statusCode, 202)
  assert.equal((await push(4_000_000)).statusCode, 202)
  const many = await push(4_000_000, '127.0.0.1')
  assert.deepEqual([refused, many.statusCode, many.headers['retry-after']], [22, 503, '2'])
  idle.map(socket => socket.destroy())
})

test('W20 a sender that does not finish is answered 408', async t => {
  shortLimits(t)
  const headers = ['Content-Type: application/json', 'Content-Length: 1000']
  assert.equal(await rawRequest(manager, hook.path, { headers, body: '{' }), 408)
})

test('W20 senders that send a byte now and then are cut off, and their sockets and places are free again', async t => {
  const freed = shortLimits(t)
  await Promise.all(Array.from({ length: MOST_OF_ADDRESS }, () => trickle(headOf(hook.path, LARGE), '{')))
  await freed(MOST_OF_ADDRESS)
  assert.equal((await push(4_000_000, '127.0.0.1')).statusCode, 202)
})

test('W20 a sender whose headers never end is cut off, and its socket is free again', async t => {
  const freed = shortLimits(t)
  await trickle(`POST ${hook.path} HTTP/1.1\r\nHost: x\r\nX-A: `, 'a')
  await freed(1)
})

/** Of requests until the test is over. Gives how to wait until so many sockets of the server have come and gone. */
function shortLimits(t: { after: (done: () => void) => void }) {
  const { server } = manager.server
  const { requestTimeout, headersTimeout } = server
  assert.ok(requestTimeout <= 10_000 && headersTimeout <= 5000)
  Object.assign(server, { requestTimeout: 200, headersTimeout: 200 })
  const closed: Promise<unknown>[] = []
  const onConnection = (socket: Socket) =>
    void closed.push(new Promise(resolve => socket.once('close', resolve)))
  server.on('connection', onConnection)
  t.after(() => {
    server.off('connection', onConnection)
    Object.assign(server, { requestTimeout, headersTimeout })
  })
  return async (sockets: number) => {
    assert.equal(closed.length, sockets)
    await Promise.all(closed)
  }
}

/** Says the beginning, then a byte every few milliseconds until the server closes. What it answered may be lost in that. */
async function trickle(beginning: string, byte: string): Promise<void> {
  const socket = openSocket(manager)
  const gone = new Promise(resolve => socket.once('close', resolve))
  socket.resume().write(beginning)
  const timer = setInterval(() => socket.write(byte), 5)
  await gone
  clearInterval(timer)
}

/** A signed push whose body has so many bytes more. */
async function push(bytes: number, from = '198.51.100.1') {
  const refs = { ref: 'refs/heads/main', before: 'a'.repeat(40), after: 'b'.repeat(40) }
  const extra = `${randomUUID()}${'x'.repeat(bytes)}`
  const payload = JSON.stringify({ ...refs, repository: { id: 1 }, extra })
  return await manager.server.inject({
    method: 'POST',
    url: hook.path,
    remoteAddress: from,
    headers: {
      'content-type': 'application/json',
      'x-hub-signature-256': `sha256=${createHmac('sha256', hook.secret).update(payload).digest('hex')}`,
      'x-github-event': 'push',
      'x-github-delivery': randomUUID(),
    },
    payload,
  })
}

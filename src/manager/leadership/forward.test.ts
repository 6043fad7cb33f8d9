import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingHttpHeaders, request as send } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { fastify } from 'fastify'
import { WebSocket } from 'ws'
import { freePort } from '#cli/demo/free-port.ts'
import { CONSOLE_PROTOCOL } from '#contract/rest/console.ts'
import { newId } from '#lib/id.ts'
import { selfSignedCertificate } from '#link/certificate.ts'
import type { Api } from '#manager/api/shape.ts'
import { type TestServer, testServer } from '#manager/api/test-server.ts'
import { upgraded } from '#manager/api/upgrades.ts'
import { openSession } from '#manager/people/sessions.ts'
import { LEADER_MISSING } from './errors.ts'
import { createForwarder } from './forward.ts'
import { listenToPeers } from './peer-server.ts'
import { PEER_SERVER_NAME, type PeerKeys } from './peer-tls.ts'
import { type Destination, startStandbyServer } from './standby-server.ts'

const stack = new AsyncDisposableStack()
let leader: TestServer
let standby: { readonly url: string; readonly port: number }
let to: Destination = LEADER_MISSING('it is a test')
let keys: PeerKeys
let peerPort = 0

before(async () => {
  leader = await testServer({ environment: { FAIRLEAD_PUBLIC_URL: 'https://fairlead.example.org' } })
  stack.defer(() => leader.close())
  keys = someKeys()
  peerPort = await freePort()
  const peers = await listenToPeers(leader.server, { listen: { host: '127.0.0.1', port: peerPort } }, keys)
  stack.defer(peers.close)
  standby = await aStandby(() => to)
  to = destinationAt(peerPort, keys)
})
after(async () => {
  if ('forwarder' in to) {
    to.forwarder.close()
  }
  await stack.disposeAsync()
})

test('a session of a browser holds through another manager, and its origin is still checked', async () => {
  const person = { id: newId(), name: 'Ada', email: 'ada@example.org', role: 'admin', created_at: 1 } as const
  await leader.parts.db.insertInto('people').values(person).execute()
  const session = { personId: person.id, awaitsFactor: false, address: '', program: '' }
  const { value } = await openSession(leader.parts, session)
  const headers = { host: 'fairlead.example.org', cookie: `__Host-fairlead=${value}` }
  assert.equal((await ask('GET', '/api/v1/me', { headers })).status, 200)
  const post = (origin: string) =>
    ask('POST', '/api/v1/tokens', {
      headers: { ...headers, origin, 'content-type': 'application/json' },
      body: '{"name":"of a test"}',
    })
  assert.equal((await post('https://app.example.org')).status, 403)
  assert.equal((await post('https://fairlead.example.org')).status, 201)
})

test('who asks is the one who spoke with the other manager, whatever they say of themselves', async () => {
  const headers = { authorization: `Bearer ${leader.token}`, 'content-type': 'application/json' }
  const address = async (said: Record<string, string>) => {
    const body = JSON.stringify({ name: `p-${newId()}` })
    await ask('POST', '/api/v1/projects', { headers: { ...headers, ...said }, body })
    const query = leader.parts.db.selectFrom('audit').select('address').orderBy('seq', 'desc')
    return (await query.executeTakeFirst())?.address
  }
  assert.equal(await address({}), '127.0.0.1')
  assert.equal(await address({ 'x-forwarded-for': '203.0.113.9' }), '127.0.0.1')
})

test('bytes and repeated headers come as they were sent, with what is for one connection left out', async () => {
  const api = await anEcho()
  const body = Buffer.from([0, 255, 10, 13, 0])
  const answer = await ask('POST', '/echo', {
    port: api.port,
    headers: {
      'content-type': 'application/octet-stream',
      'x-signature': 'a',
      te: 'trailers',
      connection: 'x-hop',
      'x-hop': '1',
    },
    body,
  })
  assert.equal(answer.status, 200)
  assert.deepEqual(answer.headers['set-cookie'], ['a=1; Path=/', 'b=2; Path=/'])
  const { headers, hex } = JSON.parse(answer.body) as { headers: IncomingHttpHeaders; hex: string }
  assert.equal(hex, body.toString('hex'))
  assert.equal(headers['x-signature'], 'a')
  assert.equal(headers.host, `127.0.0.1:${api.port}`)
  assert.deepEqual([headers['x-hop'], headers.te], [undefined, undefined])
})

test('a WebSocket is joined through it, both ways', async () => {
  const api = await anEcho()
  const socket = new WebSocket(`ws://127.0.0.1:${api.port}/api/v1/systems/box/console`, CONSOLE_PROTOCOL)
  await once(socket, 'open')
  socket.send('hello')
  const [said] = await once(socket, 'message')
  assert.equal(String(said), 'you said hello')
  socket.close()
  await once(socket, 'close')
})

test('nobody but a manager speaks to the way between managers', async () => {
  const stranger = await aStandby(() => destinationAt(peerPort, someKeys()))
  const refused = await ask('GET', '/api/v1/me', { port: stranger.port })
  assert.equal(refused.status, 503)
  assert.equal(JSON.parse(refused.body).code, 'LEADER_UNREACHABLE')
})

test('without a leader everything is answered with 503 and when to ask again, but how this manager is', async () => {
  const lonely = await aStandby(() => LEADER_MISSING('it is a test'))
  const answer = await ask('GET', '/api/v1/apps', { port: lonely.port })
  assert.deepEqual([answer.status, answer.headers['retry-after']], [503, '2'])
  assert.equal(JSON.parse(answer.body).code, 'LEADER_MISSING')
  assert.equal((await ask('GET', '/health/live', { port: lonely.port })).status, 200)
  const ready = await ask('GET', '/health/ready', { port: lonely.port })
  assert.deepEqual([ready.status, JSON.parse(ready.body)], [503, { ok: false, standby: true, leader: null }])
  const socket = connect(lonely.port, '127.0.0.1')
  socket.write(
    'GET /api/v1/systems/a/console HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  )
  assert.match(await text(socket), /^HTTP\/1\.1 503 [\s\S]*LEADER_MISSING/)
})

test('an answer that breaks off is not made to look whole, and one that never comes is refused', async () => {
  const api = await anEcho()
  await assert.rejects(ask('GET', '/half', { port: api.port }), /aborted|hang up|ECONNRESET/)
  const nowhere = await aStandby(() => destinationAt(1, keys))
  assert.equal((await ask('GET', '/api/v1/me', { port: nowhere.port })).status, 503)
})

function someKeys(): PeerKeys {
  const now = Date.now()
  return selfSignedCertificate({ name: PEER_SERVER_NAME, notBefore: now - 60_000, notAfter: now + 3_600_000 })
}

function destinationAt(port: number, between: PeerKeys): Destination {
  const forwarder = createForwarder({ name: 'one', address: `127.0.0.1:${port}`, keys: between })
  stack.defer(() => forwarder.close())
  return { leader: 'one', forwarder }
}

async function aStandby(destination: () => Destination) {
  const port = await freePort()
  const server = await startStandbyServer({ host: '127.0.0.1', port }, destination)
  stack.defer(server.close)
  return { url: server.url, port }
}

/** A leader that gives back what it gets, behind a manager that stands by. */
async function anEcho() {
  const api = fastify() as unknown as Api
  api.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_, body, done) =>
    done(null, body),
  )
  api.post('/echo', async (request, reply) => {
    reply.header('set-cookie', ['a=1; Path=/', 'b=2; Path=/'])
    return { headers: request.headers, hex: (request.body as Buffer).toString('hex') }
  })
  api.get('/half', async (_, reply) => {
    reply.hijack()
    reply.raw.writeHead(200, { 'content-length': '100' })
    reply.raw.write('half', () => reply.raw.destroy())
  })
  api.get('/api/v1/systems/:system/console', async (request, reply) => {
    const socket = await upgraded(request, reply)
    socket.on('message', said => socket.send(`you said ${said}`))
  })
  await api.ready()
  const port = await freePort()
  const peers = await listenToPeers(api, { listen: { host: '127.0.0.1', port } }, keys)
  stack.defer(peers.close)
  const destination = destinationAt(port, keys)
  return await aStandby(() => destination)
}

interface Asked {
  readonly headers?: Record<string, string>
  readonly body?: string | Buffer
  readonly port?: number
}

async function ask(method: string, path: string, { headers = {}, body, port = standby.port }: Asked) {
  const asked = send({ host: '127.0.0.1', port, method, path, headers, agent: false })
  asked.end(body)
  const [answer] = await once(asked, 'response')
  return {
    status: answer.statusCode as number,
    headers: answer.headers as IncomingHttpHeaders,
    body: await text(answer),
  }
}

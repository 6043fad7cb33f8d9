import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import { Secret } from '#lib/secret.ts'
import { createHttpClient } from './http.ts'

const LOOPBACK = { clock: systemClock, allowPrivate: ['127.0.0.0/8', '::1/128'] }

async function server(t: TestContext, listener: RequestListener): Promise<string> {
  const running = createServer(listener)
  await new Promise<void>(resolve => running.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    running.closeAllConnections()
    running.close()
  })
  return `http://127.0.0.1:${(running.address() as AddressInfo).port}`
}

test('A request arrives as it was made, and the answer comes back whatever its status', async t => {
  const url = await server(t, async (request, response) => {
    const body = (await Array.fromAsync(request)).join('')
    response.writeHead(404, { 'x-seen': `${request.method} ${request.headers.authorization} ${body}` })
    response.end('no such thing')
  })
  const answer = await createHttpClient(LOOPBACK).send({
    method: 'POST',
    url: `${url}/path`,
    headers: { Authorization: new Secret('token abc') },
    body: 'hello',
  })
  assert.equal(answer.status, 404)
  assert.equal(answer.headers['x-seen'], 'POST token abc hello')
  assert.equal(answer.body, 'no such thing')
})

test('A redirect is an answer: nobody is asked but the server that was named', async t => {
  let hits = 0
  const inner = await server(t, (_, response) => {
    hits++
    response.end()
  })
  const url = await server(t, (_, response) => response.writeHead(302, { location: inner }).end())
  const answer = await createHttpClient(LOOPBACK).send({ method: 'GET', url })
  assert.deepEqual([answer.status, hits], [302, 0])
})

for (const url of [
  'https://127.0.0.1/x',
  'https://0x7f.1/',
  'https://2130706433/',
  'https://[::1]/',
  'https://[::ffff:169.254.169.254]/',
  'https://10.1.2.3/',
  'https://localhost/',
]) {
  test(`An address that is not public is refused: ${url}`, async () => {
    const client = createHttpClient({ clock: systemClock, allowPrivate: [] })
    await assert.rejects(client.send({ method: 'GET', url }), { code: 'HTTP_ADDRESS_PRIVATE' })
  })
}

test('G04 A name is resolved once, and one private address among its addresses is enough to refuse it', async () => {
  let asked = 0
  const client = createHttpClient({
    clock: systemClock,
    allowPrivate: [],
    async resolve() {
      asked++
      return [
        { address: '192.0.2.1', family: 4 },
        { address: '169.254.169.254', family: 4 },
      ]
    },
  })
  await assert.rejects(client.send({ method: 'GET', url: 'https://rebinding.example.org/' }), {
    code: 'HTTP_ADDRESS_PRIVATE',
  })
  assert.equal(asked, 1)
})

test('The connection goes to the address that was checked, whatever the system says of the name', async t => {
  const url = new URL(await server(t, (request, response) => response.end(request.headers.host)))
  const client = createHttpClient({ ...LOOPBACK, resolve: async () => [{ address: '127.0.0.1', family: 4 }] })
  const answer = await client.send({ method: 'GET', url: `http://name.invalid:${url.port}/` })
  assert.equal(answer.body, `name.invalid:${url.port}`)
})

for (const [url, code] of [
  ['ftp://example.org/', 'HTTP_ADDRESS_INVALID'],
  ['nonsense', 'HTTP_ADDRESS_INVALID'],
  ['https://user:pass@example.org/', 'HTTP_ADDRESS_INVALID'],
  ['http://93.184.216.34/', 'HTTP_NOT_ENCRYPTED'],
] as const) {
  test(`An address that is not valid is refused before anybody is asked: ${url}`, async () => {
    await assert.rejects(createHttpClient(LOOPBACK).send({ method: 'GET', url }), { code })
  })
}

test('An answer that never ends is cut off at its limit', async t => {
  const url = await server(t, (_, response) => {
    response.on('drain', () => response.write('x'.repeat(65_536)))
    response.write('x'.repeat(65_536))
  })
  const sent = createHttpClient(LOOPBACK).send({ method: 'GET', url }, { mostBytes: 100_000 })
  await assert.rejects(sent, { code: 'HTTP_ANSWER_TOO_LARGE' })
})

test('A server that does not answer in time, closes or refuses is said to be unreachable', async t => {
  const silent = await server(t, () => {})
  const rude = await server(t, request => request.socket.destroy())
  const client = createHttpClient(LOOPBACK)
  await assert.rejects(client.send({ method: 'GET', url: silent }, { timeoutMs: 50 }), {
    code: 'HTTP_UNREACHABLE',
    message: /does not answer within 0.05 s/,
  })
  await assert.rejects(client.send({ method: 'GET', url: rude }), { message: /closed the connection/ })
  await assert.rejects(client.send({ method: 'GET', url: 'http://127.0.0.1:1/' }), {
    message: /refuses connections/,
  })
})

test('Who aborts a request gets the reason back', async t => {
  const silent = await server(t, () => {})
  const stop = new AbortController()
  const sent = createHttpClient(LOOPBACK).send({ method: 'GET', url: silent }, { signal: stop.signal })
  stop.abort(new Error('shutdown'))
  await assert.rejects(sent, { message: 'shutdown' })
})

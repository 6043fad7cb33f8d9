import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { FairleadError } from '#lib/errors.ts'
import { createRedactor } from '#lib/redact.ts'
import { Secret } from '#lib/secret.ts'
import type { Engine, EngineAnswer, EngineRequest, StreamEvent } from './call.ts'
import { closeConnections, request } from './request.ts'
import { createTestContext } from './test-context.ts'

const root = mkdtempSync(join(tmpdir(), 'fairlead-request-test-'))
const servers: Server[] = []
after(() => {
  closeConnections()
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
  rmSync(root, { recursive: true })
})

test('a request reaches an engine on a unix socket and gives status, headers, text and JSON', async () => {
  const engine = await dockerWith((received, response) => {
    response.setHeader('x-kind', 'test')
    response.end(JSON.stringify({ method: received.method, url: received.url }))
  })
  const answer = await request(
    aRequest({ engine, query: { all: true, n: 3, none: undefined } }),
    createTestContext(),
  )
  assert.equal(answer.status, 200)
  assert.equal(answer.headers['x-kind'], 'test')
  assert.deepEqual(answer.json, { method: 'GET', url: '/v1/things?all=true&n=3' })
})

test('a body goes as JSON, a text as it is, secrets in headers and the password only on the wire', async () => {
  const engine = await httpWith(async (received, response) => {
    const { authorization, 'x-token': token, 'content-type': type } = received.headers
    response.end(JSON.stringify({ authorization, token, type, body: await bodyOf(received) }))
  })
  const withLogin = { ...engine, username: 'fox', password: new Secret('pa:55') }
  const send = (body: unknown) =>
    request(
      aRequest({ engine: withLogin, method: 'POST', body, headers: { 'X-Token': new Secret('t-1') } }),
      createTestContext(),
    )
  assert.deepEqual((await send({ a: 1 })).json, {
    authorization: `Basic ${Buffer.from('fox:pa:55').toString('base64')}`,
    token: 't-1',
    type: 'application/json',
    body: '{"a":1}',
  })
  assert.equal(((await send('plain')).json as { body: string }).body, 'plain')
})

test('trailers are given', async () => {
  const engine = await httpWith((_received, response) => {
    response.writeHead(200, { trailer: 'etag' })
    response.write('{}')
    response.addTrailers({ etag: '"/config abc"' })
    response.end()
  })
  assert.equal((await request(aRequest({ engine }), createTestContext())).trailers.etag, '"/config abc"')
})

test('connections are kept for reading and fresh for changing', async () => {
  const ports: (number | undefined)[] = []
  const engine = await httpWith((received, response) => {
    ports.push(received.socket.remotePort)
    response.setHeader('content-length', 0)
    response.end()
  })
  for (const method of ['GET', 'HEAD', 'POST', 'POST', 'GET'] as const) {
    await request(aRequest({ engine, method }), createTestContext())
    // A connection is free again a moment after its answer has ended.
    await nextTurn()
  }
  await request(aRequest({ engine: { ...engine, keepAlive: false } }), createTestContext())
  await request(aRequest({ engine, method: 'POST', looksOnly: true }), createTestContext())
  const [get, head, post, secondPost, lastGet, unkept, asking] = ports
  assert.equal(get, head)
  assert.equal(get, lastGet)
  assert.equal(get, asking)
  assert.equal(new Set([get, post, secondPost, unkept]).size, 4)
})

test('a kept connection that the engine closed meanwhile costs one more try, not an error', async () => {
  let connections = 0
  // Answers once per connection and cuts it as soon as the second request comes.
  const server = createTcpServer(socket => {
    connections++
    let requests = 0
    socket.on('error', () => {})
    socket.on('data', () => {
      requests++
      if (requests > 1) {
        socket.destroy()
        return
      }
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}')
    })
  })
  const port = await listening(server)
  const engine: Engine = { kind: 'http', origin: `http://127.0.0.1:${port}` }
  for (let i = 0; i < 3; i++) {
    assert.equal((await request(aRequest({ engine }), createTestContext())).status, 200)
  }
  assert.equal(connections, 3)
  server.close()
})

for (const [what, engine] of Object.entries<Engine>({
  'a socket that is not there': { kind: 'docker', socket: join(root, 'no.sock') },
  'a port where nobody listens': { kind: 'http', origin: 'http://127.0.0.1:1' },
  'a name that nobody knows': { kind: 'http', origin: 'http://no-such-host.invalid' },
})) {
  test(`${what} is ENGINE_UNREACHABLE, to be tried later, with a hint for that engine`, async () => {
    const error = await failure(request(aRequest({ engine }), createTestContext()))
    assert.equal(error.code, 'ENGINE_UNREACHABLE')
    assert.equal(error.retry, 'later')
    assert.match(error.hint, engine.kind === 'docker' ? /systemctl start docker/ : /is running/)
  })
}

for (const [form, body, said] of [
  ["Docker's", '{"message":"No such image: x"}', 'No such image: x'],
  [
    "the registry's",
    '{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}',
    'authentication required',
  ],
  ["Caddy's", '{"error":"unknown module"}', 'unknown module'],
  ['a plain', 'nope\n', 'nope'],
  ['an empty', '', 'no reason given'],
] as const) {
  test(`a refusal carries the status and ${form} reason`, async () => {
    const engine = await httpWith((_received, response) => {
      response.writeHead(404)
      response.end(body)
    })
    const error = await failure(request(aRequest({ engine }), createTestContext()))
    assert.equal(error.code, 'ENGINE_REFUSED')
    assert.deepEqual([error.facts?.status, error.facts?.said], [404, said])
  })
}

test('R01 a secret in the reason of a refusal is redacted', async () => {
  const engine = await httpWith((received, response) => {
    response.writeHead(400)
    response.end(`bad token ${received.headers['x-token']}`)
  })
  const context = createTestContext({ redactor: createRedactor(['canary-token']) })
  const error = await failure(
    request(aRequest({ engine, headers: { 'x-token': new Secret('canary-token') } }), context),
  )
  assert.doesNotMatch(JSON.stringify(error), /canary/)
  assert.match(error.message, /bad token \[redacted\]/)
})

test('a redirect is an answer like any other and is not followed', async () => {
  let hits = 0
  const engine = await httpWith((_received, response) => {
    hits++
    response.writeHead(302, { location: '/elsewhere' })
    response.end()
  })
  assert.equal((await failure(request(aRequest({ engine }), createTestContext()))).facts?.status, 302)
  assert.equal(
    (await request(aRequest({ engine, ok: 'any' }), createTestContext())).headers.location,
    '/elsewhere',
  )
  assert.equal(hits, 2)
})

test('an answer that drips or never comes ends at the deadline', async () => {
  const engine = await httpWith((received, response) => {
    if (received.url === '/drip') {
      response.write('x')
    }
  })
  for (const path of ['/silent', '/drip']) {
    const error = await failure(request(aRequest({ engine, path, timeoutMs: 100 }), createTestContext()))
    assert.equal(error.code, 'CALL_TIMED_OUT')
  }
})

test('a Docker engine that lets a question wait counts as away, one that does something does not', async () => {
  const engine = await dockerWith(() => undefined)
  const codes = ['GET', 'POST'].map(async method => {
    const silent = aRequest({ engine, method: method as 'GET' | 'POST', timeoutMs: 100 })
    return (await failure(request(silent, createTestContext()))).code
  })
  assert.deepEqual(await Promise.all(codes), ['ENGINE_BROKE_OFF', 'CALL_TIMED_OUT'])
})

test('cancelling ends the request', async () => {
  const context = createTestContext()
  const engine = await httpWith(() => context.cancel())
  assert.equal((await failure(request(aRequest({ engine }), context))).code, 'CALL_CANCELLED')
})

test('an answer that breaks off is no answer', async () => {
  const engine = await httpWith((_received, response) => {
    response.writeHead(200, { 'content-length': '100' })
    response.write('half')
    setImmediate(() => response.destroy())
  })
  assert.equal((await failure(request(aRequest({ engine }), createTestContext()))).code, 'ENGINE_BROKE_OFF')
})

test('an answer of more than 16 MiB is an error', async () => {
  const engine = await httpWith((_received, response) => {
    response.on('error', () => {})
    response.end(Buffer.alloc(17 * 1024 * 1024))
  })
  assert.equal((await failure(request(aRequest({ engine }), createTestContext()))).code, 'ANSWER_TOO_LARGE')
})

test('an error of read() is passed on as it is', async () => {
  const engine = await httpWith((_received, response) => response.end('{}'))
  const read = () => {
    throw new RangeError('not what was expected')
  }
  await assert.rejects(request({ ...aRequest({ engine }), read }, createTestContext()), RangeError)
})

test('a stream of JSON lines comes value by value, and the consumer can end it with its own error', async () => {
  const engine = await httpWith((_received, response) => {
    response.write('{"n":1}\r\n{"n"')
    response.write(':2}\n\n')
    response.write('{"n":3}')
    if (_received.url === '/ends') {
      response.end()
    }
  })
  const seen: unknown[] = []
  const onEvent = (event: StreamEvent) => seen.push(event.kind === 'json' && event.value)
  const stream = { format: 'json-lines', onEvent } as const
  assert.equal((await request(aRequest({ engine, path: '/ends', stream }), createTestContext())).text, '')
  assert.deepEqual(seen, [{ n: 1 }, { n: 2 }, { n: 3 }])
  const stopping = {
    format: 'json-lines',
    onEvent: () => {
      throw new RangeError('enough')
    },
  } as const
  await assert.rejects(request(aRequest({ engine, stream: stopping }), createTestContext()), RangeError)
})

test('a refusal of a stream is read as a text', async () => {
  const engine = await httpWith((_received, response) => {
    response.writeHead(500)
    response.end('{"message":"out of order"}')
  })
  const stream = { format: 'json-lines', onEvent: () => assert.fail('no event') } as const
  assert.match(
    (await failure(request(aRequest({ engine, stream }), createTestContext()))).message,
    /out of order/,
  )
})

function aRequest(
  changes: Partial<EngineRequest<EngineAnswer>> & { engine: Engine },
): EngineRequest<EngineAnswer> {
  return {
    kind: 'request',
    method: 'GET',
    path: '/v1/things',
    timeoutMs: 10_000,
    ok: [200],
    read: answer => answer,
    ...changes,
  }
}

async function httpWith(listener: RequestListener): Promise<Engine & { kind: 'http' }> {
  const server = createServer(listener)
  servers.push(server)
  return { kind: 'http', origin: `http://127.0.0.1:${await listening(server)}` }
}

async function dockerWith(
  listener: (received: IncomingMessage, response: ServerResponse) => void,
): Promise<Engine> {
  const server = createServer(listener)
  servers.push(server)
  const socket = join(root, `${servers.length}.sock`)
  await new Promise<void>(resolve => server.listen(socket, resolve))
  return { kind: 'docker', socket }
}

async function listening(server: ReturnType<typeof createTcpServer>): Promise<number> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return typeof address === 'object' && address ? address.port : assert.fail('no port')
}

async function bodyOf(received: IncomingMessage): Promise<string> {
  return text(received)
}

async function failure(work: Promise<unknown>): Promise<FairleadError> {
  const error = await work.then(
    () => assert.fail('it did not fail'),
    reason => reason,
  )
  assert.ok(error instanceof FairleadError, String(error))
  return error
}

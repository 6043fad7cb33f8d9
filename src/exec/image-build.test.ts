import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { after, test } from 'node:test'
import { FairleadError } from '#lib/errors.ts'
import type { ImageBuildCall } from './call.ts'
import { buildImage } from './image-build.ts'
import { createTestContext } from './test-context.ts'

const root = mkdtempSync(join(tmpdir(), 'fairlead-image-build-test-'))
after(() => rmSync(root, { recursive: true }))

test('a build sends the context with all settings and gives the image', async () => {
  let seen: URLSearchParams | undefined
  let bytes = 0
  await using engine = await anEngine(async (received, response) => {
    seen = new URL(received.url ?? '', 'http://docker').searchParams
    bytes = (await buffer(received)).length
    response.end('{"aux":{"ID":"sha256:abc"}}\r\n')
  })
  const call = aBuild(engine.socket, {
    args: { V: '1 2' },
    labels: { a: 'b' },
    tags: ['x:1', 'x:2'],
    target: 'final',
  })
  assert.equal(await buildImage(call, createTestContext()), 'sha256:abc')
  assert.ok(bytes >= 2048 && bytes % 512 === 0)
  assert.match(seen?.get('buildid') ?? '', /^[0-9a-f-]{36}$/)
  seen?.delete('buildid')
  assert.deepEqual(
    [...(seen ?? [])],
    [
      ['version', '2'],
      ['dockerfile', 'Dockerfile'],
      ['buildargs', '{"V":"1 2"}'],
      ['labels', '{"a":"b"}'],
      ['t', 'x:1'],
      ['t', 'x:2'],
      ['target', 'final'],
    ],
  )
})

for (const [what, status, body, code] of [
  [
    'a failure event',
    200,
    '{"errorDetail":{"message":"exit code: 1"},"error":"exit code: 1"}\n',
    'BUILD_FAILED',
  ],
  ['a full disk', 200, '{"error":"write /x: no space left on device"}\n', 'DISK_FULL'],
  ['a refusal before the build', 400, '{"message":"dockerfile parse error line 1"}\n', 'DOCKERFILE_INVALID'],
  ['an end without an image', 200, '{"stream":"bye"}\n', 'ENGINE_BROKE_OFF'],
  ['an answer that is no JSON', 200, '<html>\n', 'ENGINE_BROKE_OFF'],
] as const) {
  test(`${what} is ${code}`, async () => {
    await using engine = await anEngine(async (received, response) => {
      await buffer(received)
      response.writeHead(status)
      response.end(body)
    })
    const error = await failure(buildImage(aBuild(engine.socket), createTestContext()))
    assert.equal(error.code, code)
  })
}

test('an engine that breaks off in the middle is ENGINE_BROKE_OFF', async () => {
  await using engine = await anEngine(async (received, response) => {
    await buffer(received)
    response.write('{"stream":"x"}\n')
    setImmediate(() => response.destroy())
  })
  assert.equal(
    (await failure(buildImage(aBuild(engine.socket), createTestContext()))).code,
    'ENGINE_BROKE_OFF',
  )
})

test('Docker that is down is ENGINE_UNREACHABLE with a hint', async () => {
  const error = await failure(buildImage(aBuild(join(root, 'no.sock')), createTestContext()))
  assert.equal(error.code, 'ENGINE_UNREACHABLE')
  assert.match(error.hint, /systemctl start docker/)
})

test('a missing Dockerfile is found before anything is sent', async () => {
  const call = aBuild(join(root, 'no.sock'), { dockerfile: 'api/Dockerfile' })
  assert.equal((await failure(buildImage(call, createTestContext()))).code, 'DOCKERFILE_MISSING')
})

for (const how of ['cancelling', 'the deadline'] as const) {
  test(`${how} ends a build and tells the engine which`, async () => {
    const context = createTestContext()
    const asked: (string | null)[] = []
    await using engine = await anEngine(async (received, response) => {
      const url = new URL(received.url ?? '', 'http://docker')
      asked.push(url.searchParams.get('buildid') ?? url.searchParams.get('id'))
      await buffer(received)
      if (url.pathname === '/build/cancel') {
        response.end()
        return
      }
      response.write('{"stream":"x"}\n')
      if (how === 'cancelling') {
        context.cancel()
      }
    })
    const timeoutMs = how === 'cancelling' ? 10_000 : 200
    const error = await failure(buildImage(aBuild(engine.socket, { timeoutMs }), context))
    assert.equal(error.code, how === 'cancelling' ? 'CALL_CANCELLED' : 'CALL_TIMED_OUT')
    assert.equal(asked.length, 2)
    assert.equal(asked[0], asked[1])
  })
}

test('a context that changes while it is sent is the reason, not the broken connection', async () => {
  const context = mkdtempSync(join(root, 'context-'))
  writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\n')
  const big = join(context, 'big')
  writeFileSync(big, Buffer.alloc(30_000_000))
  await using engine = await anEngine((received, response) => {
    // Answers before all has come, as the real one does.
    response.write('{"stream":"x"}\n')
    received.once('data', () => writeFileSync(big, ''))
    received.resume()
    received.on('error', () => {})
  })
  const error = await failure(buildImage(aBuild(engine.socket, { context }), createTestContext()))
  assert.equal(error.code, 'CONTEXT_CHANGED')
})

function aBuild(socket: string, changes: Partial<ImageBuildCall<string>> = {}): ImageBuildCall<string> {
  const context = mkdtempSync(join(root, 'context-'))
  writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\n')
  return {
    kind: 'image-build',
    socket,
    context,
    dockerfile: 'Dockerfile',
    args: {},
    secrets: {},
    tags: [],
    labels: {},
    registries: {},
    timeoutMs: 10_000,
    read: built => built.imageId,
    ...changes,
  }
}

type Listener = (received: IncomingMessage, response: ServerResponse) => unknown

async function anEngine(listener: Listener): Promise<AsyncDisposable & { socket: string }> {
  const socket = join(mkdtempSync(join(root, 'engine-')), 'docker.sock')
  const server = createServer((received, response) => {
    // A request that the caller ends is what some of these tests are about.
    Promise.resolve(listener(received, response)).catch(() => {})
  })
  await new Promise<void>(resolve => server.listen(socket, resolve))
  return {
    socket,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

async function failure(work: Promise<unknown>): Promise<FairleadError> {
  const error = await work.then(
    () => assert.fail('it did not fail'),
    reason => reason,
  )
  assert.ok(error instanceof FairleadError, String(error))
  return error
}

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type TestServer, testServer } from './test-server.ts'

interface Operation {
  readonly summary?: string
  readonly tags?: readonly string[]
  readonly security?: readonly object[]
  readonly responses: Record<string, unknown>
}

/** Whoever has a token already has no need to exchange one; a host that joins has another proof. */
const WITHOUT_TOKEN = [
  '/api/v1/token-exchange',
  '/api/v1/join',
  '/api/v1/first-start',
  '/api/v1/sign-in',
  '/api/v1/invitations',
  '/api/v1/sign-in/second-factor',
  '/api/v1/sign-in/passkey/begin',
  '/api/v1/sign-in/passkey',
]

let manager: TestServer
before(async () => {
  manager = await testServer()
})
after(() => manager.close())

test('R98 the OpenAPI document describes every route, its answers and its errors', async () => {
  const document = (await manager.server.inject({ url: '/api/v1/openapi.json' })).json()
  assert.equal(document.openapi, '3.1.0')
  const paths = Object.entries(document.paths as Record<string, Record<string, Operation>>)
  assert.ok(paths.length >= 25, `${paths.length} paths`)
  for (const [path, operations] of paths) {
    for (const [method, { summary, tags, responses, security }] of Object.entries(operations)) {
      const what = `${method} ${path}`
      assert.ok(summary && tags?.length, what)
      assert.ok(Object.keys(responses).length > 0, what)
      if (path.startsWith('/api/')) {
        assert.ok('default' in responses, `${what} has no error`)
        const needs = WITHOUT_TOKEN.includes(path) ? [] : [{ token: [] }]
        assert.deepEqual(security, needs, what)
      }
    }
  }
})

test('the document is one description with the checks: a body that it forbids is refused', async () => {
  const document = (await manager.server.inject({ url: '/api/v1/openapi.json' })).json()
  const body = document.paths['/api/v1/apps'].post.requestBody.content['application/json'].schema
  assert.deepEqual(body.required, ['name', 'repository'])
  assert.equal(body.additionalProperties, false)
  assert.match(body.properties.name.pattern, /a-z0-9/)
})

test('the reference page runs only scripts of its own and needs no other host', async () => {
  const page = await manager.server.inject({ url: '/api/v1/docs' })
  assert.equal(page.statusCode, 200)
  assert.match(
    String(page.headers['content-security-policy']),
    /^default-src 'self'; img-src 'self' data:; frame-ancestors 'none'$/,
  )
  assert.doesNotMatch(page.body, /<script>|https?:\/\//)
  for (const [, path] of page.body.matchAll(/(?:src|href)="([^"]+)"/g)) {
    const url = new URL(path ?? '', 'http://x/api/v1/docs').pathname
    assert.equal((await manager.server.inject({ url })).statusCode, 200, url)
  }
})

test('A03 the reference page is no way to other routes or files', async () => {
  for (const url of [
    '/api/v1/docs/..%2fapps',
    '/api/v1/docs/static/..%2f..%2f..%2fpackage.json',
    '/api/v1/docs/nothing',
  ]) {
    assert.ok((await manager.server.inject({ url })).statusCode >= 400, url)
  }
})

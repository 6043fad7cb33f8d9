import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fastify } from 'fastify'
import { problemHandler } from './problem.ts'
import type { Api } from './shape.ts'
import { webRoutes } from './web.ts'

const BROWSER = { accept: 'text/html,*/*', 'accept-encoding': 'gzip, deflate, br' }

function aBuild(t: TestContext): Api {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-web-'))
  t.after(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'assets'))
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>Fairlead</title>')
  writeFileSync(join(folder, 'assets/main-1.js'), 'plain')
  writeFileSync(join(folder, 'assets/main-1.js.br'), 'small')
  writeFileSync(join(folder, 'secret.env'), 'not of the web')
  const server = fastify() as unknown as Api
  server.setErrorHandler(problemHandler({ error() {} } as never))
  webRoutes(server, folder)
  return server
}

test('every page address answers browsers with the interface, under a policy that lets nothing in from elsewhere', async t => {
  const server = aBuild(t)
  for (const url of ['/', '/apps/shop?tab=logs', '/deployments/1', '/health-of-nothing']) {
    const answer = await server.inject({ url, headers: BROWSER })
    assert.equal(answer.statusCode, 200, url)
    assert.match(answer.body, /Fairlead/)
    assert.match(
      String(answer.headers['content-security-policy']),
      /^default-src 'self';.*frame-ancestors 'none'/,
    )
    assert.doesNotMatch(String(answer.headers['content-security-policy']), /unsafe/)
    assert.equal(answer.headers['cache-control'], 'no-cache')
  }
})

test('an asset is kept for good by browsers, and comes as small as they can take it', async t => {
  const server = aBuild(t)
  const url = '/assets/main-1.js'
  const small = await server.inject({ url, headers: BROWSER })
  assert.equal(small.body, 'small')
  assert.equal(small.headers['content-encoding'], 'br')
  assert.match(String(small.headers['cache-control']), /immutable/)
  const plain = await server.inject({ url, headers: { 'accept-encoding': 'br;q=0' } })
  assert.equal(plain.body, 'plain')
  const again = await server.inject({ url, headers: { 'if-none-match': String(plain.headers.etag) } })
  assert.equal(again.statusCode, 304)
})

test('programs with a wrong address are still told so, and nothing but the build is served', async t => {
  const server = aBuild(t)
  for (const url of [
    '/api/v1/nothing',
    '/assets/gone.js',
    '/apps',
    '/secret.env',
    '/..%2fsecret.env',
    '/assets/../../x',
  ]) {
    const answer = await server.inject({ url })
    assert.equal(answer.statusCode, 404, url)
    assert.match(answer.body, /NOTHING_HERE/)
  }
  const inApi = await server.inject({ url: '/api/v1/nothing', headers: BROWSER })
  assert.equal(inApi.statusCode, 404)
})

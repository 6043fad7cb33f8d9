import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '#lib/id.ts'
import { openSession } from '#manager/people/sessions.ts'
import { createToken } from '#manager/people/tokens.ts'
import { seedApp, type TestServer, testServer } from './test-server.ts'

let manager: TestServer
before(async () => {
  manager = await testServer({ environment: { FAIRLEAD_TRUSTED_PROXIES: '10.0.0.0/8' } })
  await seedApp(manager, 'shop')
})
after(() => manager.close())

test('A02 R18 every route of the API refuses who has no token, a wrong or ended one, or half a session', async () => {
  const routes = (await openRoutes()).filter(({ url }) => url.startsWith('/api/v1/'))
  assert.ok(routes.length >= 30, `${routes.length} routes`)
  // What these take is in the body: the token of a CI job, the proof of a host, the password of a person; their own
  // tests show what they refuse.
  const open = [
    'token-exchange',
    'join',
    'first-start',
    'sign-in',
    'sign-in/second-factor',
    'sign-in/passkey/begin',
    'sign-in/passkey',
    'invitations',
  ].map(name => `/api/v1/${name}`)
  const closed = routes.filter(({ url }) => !open.includes(url))
  assert.equal(closed.length, routes.length - 9)
  const common = { name: 'x', trusts: null, projectId: null, scopes: null }
  const ended = await createToken(manager.parts, { ...common, personId: null, role: 'admin', expiresAt: 1 })
  const person = { id: newId(), name: 'Ada', email: 'ada@example.org', role: 'admin', created_at: 1 } as const
  await manager.parts.db.insertInto('people').values(person).execute()
  const half = { personId: person.id, awaitsFactor: true, address: '', program: '' }
  const { value } = await openSession(manager.parts, half)
  for (const [index, { method, url }] of closed.entries()) {
    const ask = (authorization?: string) =>
      manager.server.inject({
        method,
        url,
        // Failures are counted by address.
        remoteAddress: `198.51.100.${index}`,
        headers: authorization === undefined ? {} : { authorization },
      })
    for (const given of [
      undefined,
      '',
      'Bearer',
      `Bearer flt_${'A'.repeat(43)}`,
      `Basic ${manager.token}`,
      `Bearer ${ended.token}`,
      manager.token,
    ]) {
      const answer = await ask(given)
      assert.equal(answer.statusCode, 401, `${method} ${url} with ${given}`)
      assert.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8')
    }
    const headers = { cookie: `__Host-fairlead=${value}` }
    const answer = await manager.server.inject({ method, url, remoteAddress: '198.51.100.255', headers })
    assert.equal(answer.json().code, 'SECOND_FACTOR_MISSING', `${method} ${url}`)
  }
})

test('A02 A08 a token in the query is not looked at', async () => {
  const answer = await manager.server.inject({ url: `/api/v1/apps?token=${manager.token}` })
  assert.equal(answer.statusCode, 401)
})

for (const url of [
  '/api/v1/apps/..%2f..%2fetc',
  '/api/v1/apps/%2e%2e',
  '/api/v1/apps/shop/',
  '//api/v1/apps',
  '/API/v1/apps',
  '/api/v1/Apps',
  '/api/v1/apps/Shop',
  `/api/v1/apps/${'a'.repeat(41)}`,
  '/api/v1/apps/sh%00op',
  '/api/v1/apps/__proto__',
  '/api/v1/deployments/1',
  '/etc/passwd',
  '/',
]) {
  test(`A03 A05 ${url} is nothing`, async () => {
    const answer = await manager.ask('GET', url)
    assert.equal(answer.statusCode, 404)
    assert.equal(answer.json().status, 404)
    assert.ok(answer.json().hint)
  })
}

test('A03 an address that cannot be decoded is nothing', async () => {
  assert.equal((await manager.ask('GET', '/api/v1/apps/%zz')).statusCode, 404)
})

for (const query of [
  'limit=999999999',
  'limit=0',
  'limit=-1',
  'limit=1e2',
  'sort=password',
  'limit=1&limit=2',
  'cursor=',
]) {
  test(`A07 ?${query} is refused with the field that is wrong`, async () => {
    const answer = await manager.ask('GET', `/api/v1/apps?${query}`)
    assert.equal(answer.statusCode, 422)
    assert.ok(answer.json().problems.length > 0)
  })
}

for (const [what, payload, status] of [
  ['no JSON', '{', 400],
  ['an empty body', '', 400],
  ['another type than an object', '[]', 422],
  ['a number without end', '{"name":1e400}', 422],
  ['deep nesting', `{"name":"a","repository":"b","overrides":${'['.repeat(1000)}${']'.repeat(1000)}}`, 422],
  [
    'ten thousand keys',
    JSON.stringify(Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`k${n}`, n]))),
    422,
  ],
  ['a prototype', '{"__proto__":{"x":1}}', 400],
  ['2 MB', JSON.stringify({ name: 'x'.repeat(2_000_000) }), 413],
] as const) {
  test(`A06 A13 ${what} as a body is refused with ${status}`, async () => {
    const answer = await manager.ask('POST', '/api/v1/apps', undefined, {
      'content-type': 'application/json',
    })
    assert.equal(answer.statusCode, 400)
    const sent = await manager.server.inject({
      method: 'POST',
      url: '/api/v1/apps',
      headers: { authorization: `Bearer ${manager.token}`, 'content-type': 'application/json' },
      payload,
    })
    assert.equal(sent.statusCode, status)
    assert.equal(sent.json().status, status)
    assert.ok(sent.body.length < 20_000)
  })
}

test('A06 a body that is no JSON by its type is refused', async () => {
  const answer = await manager.ask('POST', '/api/v1/apps', 'name=x', {
    'content-type': 'application/x-www-form-urlencoded',
  })
  assert.equal(answer.statusCode, 415)
})

test('A14 guessing tokens is limited by address, and a valid token still passes from there', async () => {
  const ask = (token: string) =>
    manager.server.inject({
      url: '/api/v1/apps',
      remoteAddress: '10.0.0.1',
      headers: { authorization: `Bearer ${token}`, 'x-forwarded-for': '203.0.113.77' },
    })
  const statuses: number[] = []
  for (let count = 0; count < 12; count += 1) {
    statuses.push((await ask(`flt_${'A'.repeat(43)}`)).statusCode)
  }
  assert.deepEqual(statuses, [...Array(10).fill(401), 429, 429])
  assert.equal((await ask(manager.token)).statusCode, 200)
})

test('every answer has a request id of ours and tells browsers to guess nothing', async () => {
  const answer = await manager.ask('GET', '/api/v1/apps', undefined, { 'x-request-id': 'forged' })
  assert.match(String(answer.headers['x-request-id']), /^[0-9a-f-]{36}$/)
  assert.equal(answer.headers['x-content-type-options'], 'nosniff')
  assert.match(String(answer.headers['content-security-policy']), /default-src 'none'/)
})

test('health is told without a token', async () => {
  assert.deepEqual((await manager.server.inject({ url: '/health/live' })).json(), { ok: true })
  const ready = await manager.server.inject({ url: '/health/ready' })
  assert.equal(ready.statusCode, 200)
  assert.deepEqual(ready.json(), {
    ok: true,
    store: true,
    hosts: { known: 1, online: 0 },
    webhooks: { unusable: 0 },
  })
})

test('a defect is told as one, without its details, and logged with its cause', async () => {
  await manager.parts.db.updateTable('apps').set({ overrides: 'broken' }).execute()
  const answer = await manager.ask('GET', '/api/v1/apps/shop')
  assert.equal(answer.statusCode, 500)
  assert.equal(answer.json().code, 'INTERNAL')
  const line = manager.recorded.logged.find(({ event }) => event === 'api.failed')
  assert.equal(line?.fields?.request, answer.json().request_id)
  assert.match(String(line?.fields?.stack), /JSON/)
})

/** From the OpenAPI document, so that no new route is forgotten. */
async function openRoutes() {
  const { paths } = (await manager.server.inject({ url: '/api/v1/openapi.json' })).json()
  return Object.entries(paths as Record<string, object>).flatMap(([url, methods]) =>
    Object.keys(methods).map(method => ({
      method: method.toUpperCase() as 'GET',
      url: url.replace('{id}', '01a1f918-4d66-7304-b64d-f7cb7763c0df').replaceAll(/\{[a-z]+\}/g, 'shop'),
    })),
  )
}

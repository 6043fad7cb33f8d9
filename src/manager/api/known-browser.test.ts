import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '#lib/id.ts'
import { hashPassword } from '#manager/people/passwords.ts'
import { type TestServer, testServer } from './test-server.ts'

const ORIGIN = 'https://fairlead.example.org'
const ADA = { email: 'ada@example.org', password: 'correct horse battery' }

let manager: TestServer
before(async () => {
  manager = await testServer({
    environment: { FAIRLEAD_PUBLIC_URL: ORIGIN, FAIRLEAD_TRUSTED_PROXIES: '10.0.0.0/8' },
  })
  const person = { id: newId(), name: 'Ada', email: ADA.email, role: 'admin', created_at: 1 } as const
  await manager.parts.db
    .insertInto('people')
    .values({ ...person, password: await hashPassword(ADA.password) })
    .execute()
})
after(() => manager.close())

test('A14 guesses of strangers shut nobody out of a browser in which they signed in before', async () => {
  const cookies = cookiesOf(await post('/api/v1/sign-in', ADA, { from: 1 }))
  const browser = cookies.find(each => each.startsWith('__Host-fairlead-browser='))
  assert.ok(browser)
  for (let from = 10; from < 20; from += 1) {
    assert.equal((await post('/api/v1/sign-in', { ...ADA, password: 'wrong' }, { from })).statusCode, 401)
  }
  assert.equal((await post('/api/v1/sign-in', ADA, { from: 30 })).statusCode, 429)
  assert.equal((await post('/api/v1/sign-in', ADA, { from: 31, cookie: browser })).statusCode, 200)
  // It lets nobody in, and may not guess more than others.
  const me = await manager.server.inject({ url: '/api/v1/me', headers: { cookie: browser } })
  assert.equal(me.statusCode, 401)
  for (let from = 40; from < 50; from += 1) {
    await post('/api/v1/sign-in', { ...ADA, password: 'wrong' }, { from, cookie: browser })
  }
  assert.equal((await post('/api/v1/sign-in', ADA, { from: 51, cookie: browser })).statusCode, 429)
})

test('A14 wrong codes of one address shut nobody else out of invitations or the first start', async () => {
  const eve = { name: 'Eve', email: 'eve@example.org' }
  const { invitation } = (await manager.ask('POST', '/api/v1/people', eve)).json()
  const body = { code: 'x', password: 'quite another horse' }
  for (let count = 0; count < 12; count += 1) {
    await post('/api/v1/invitations', body, { from: 60 })
  }
  assert.equal((await post('/api/v1/invitations', body, { from: 60 })).statusCode, 429)
  const other = await post('/api/v1/invitations', { ...body, code: invitation.code }, { from: 61 })
  assert.equal(other.statusCode, 200, other.body)
})

test('A09 the token of a preview is not sent by a page of another host, and a session goes before it', async () => {
  const form = { 'content-type': 'application/x-www-form-urlencoded', origin: 'https://evil.example.org' }
  for (const url of ['/preview/x/', '/open/x'] as const) {
    const answer = await manager.server.inject({
      method: 'POST',
      url,
      headers: form,
      payload: `token=${manager.token}`,
    })
    assert.deepEqual([answer.statusCode, answer.json().code], [403, 'ORIGIN_REFUSED'], url)
  }
  const own = await manager.server.inject({
    method: 'POST',
    url: '/preview/x/',
    headers: { ...form, origin: ORIGIN },
    payload: `token=${manager.token}`,
  })
  assert.equal(own.statusCode, 303)
  const visit = cookiesOf(own)[0] ?? ''
  const read = async (cookie: string) => {
    const { statusCode, json } = await manager.server.inject({ url: '/preview/x/', headers: { cookie } })
    return [statusCode, json().code]
  }
  assert.deepEqual(await read(visit), [404, 'NOTEBOOK_NOT_FOUND'])
  assert.deepEqual(await read(`${visit}; __Host-fairlead=fls_${'A'.repeat(43)}`), [401, 'TOKEN_UNKNOWN'])
})

interface From {
  readonly from: number
  readonly cookie?: string
}

async function post(url: string, payload: object, { from, cookie }: From) {
  return await manager.server.inject({
    method: 'POST',
    url,
    remoteAddress: '10.0.0.1',
    headers: { origin: ORIGIN, 'x-forwarded-for': `203.0.113.${from}`, ...(cookie ? { cookie } : {}) },
    payload,
  })
}

function cookiesOf({ headers }: { headers: Record<string, unknown> }): string[] {
  return [headers['set-cookie'] ?? []].flat().map(each => String(each).split(';')[0] ?? '')
}

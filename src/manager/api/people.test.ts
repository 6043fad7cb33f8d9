import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { makeFirstAdmin, offerFirstStart } from '#manager/people/first-start.ts'
import { openSession } from '#manager/people/sessions.ts'
import { seedApp, type TestServer, testServer } from './test-server.ts'

const ORIGIN = 'https://fairlead.example.org'
const SIGN_IN = { email: 'Ada@example.org', password: 'correct horse battery' }
const ADMIN = { name: 'Ada', ...SIGN_IN }

let manager: TestServer
before(async () => {
  manager = await testServer({ environment: { FAIRLEAD_PUBLIC_URL: ORIGIN } })
})
after(() => manager.close())

test('A01 the first account needs the code of the console, and there is nothing here afterwards', async () => {
  assert.deepEqual((await manager.server.inject({ url: '/api/v1/sign-in' })).json(), {
    first_start: true,
    providers: [],
    passkeys: true,
  })
  const none = await post('/api/v1/first-start', { ...ADMIN, code: 'guessed' })
  assert.deepEqual([none.statusCode, none.json().code], [401, 'FIRST_CODE_WRONG'])

  const before = await offerFirstStart(manager.parts)
  const fresh = (await manager.ask('POST', '/api/v1/first-start/code')).json()
  assert.equal(fresh.url, `${ORIGIN}/first-start`)
  const old = await post('/api/v1/first-start', { ...ADMIN, code: before?.code })
  assert.equal(old.json().code, 'FIRST_CODE_WRONG')

  const both = await Promise.all(
    [ADMIN, { ...ADMIN, email: 'eve@example.org' }].map(person =>
      post('/api/v1/first-start', { ...person, code: fresh.code }),
    ),
  )
  assert.deepEqual(both.map(({ statusCode }) => statusCode).sort(), [201, 404])
  const made = both.find(({ statusCode }) => statusCode === 201)
  assert.deepEqual(made?.json(), { next: 'done' })
  assert.deepEqual((await manager.server.inject({ url: '/api/v1/sign-in' })).json(), {
    first_start: false,
    providers: [],
    passkeys: true,
  })
  assert.equal((await manager.ask('POST', '/api/v1/first-start/code')).statusCode, 404)
  assert.equal((await manager.parts.db.selectFrom('people').selectAll().execute()).length, 1)
  await manager.parts.db.updateTable('people').set({ email: 'ada@example.org', name: 'Ada' }).execute()
})

test('A01 a code of the console holds for ten minutes', async () => {
  const other = await testServer()
  try {
    const offer = await offerFirstStart(other.parts)
    assert.ok(offer)
    const late = { ...other.parts, clock: { ...other.parts.clock, now: () => offer.until } }
    await assert.rejects(makeFirstAdmin(late, { ...ADMIN, code: offer.code }), { code: 'FIRST_CODE_WRONG' })
    assert.deepEqual(await other.parts.db.selectFrom('people').selectAll().execute(), [])
  } finally {
    await other.close()
  }
})

test('a person signs in, is known by the cookie, and is nobody after signing out', async () => {
  const answer = await post('/api/v1/sign-in', SIGN_IN)
  assert.deepEqual(answer.json(), { next: 'done' })
  const [raw = ''] = answer.headers['set-cookie'] as string[]
  const cookie = raw.split(';')[0] ?? ''
  assert.match(
    raw,
    /^__Host-fairlead=fls_[\w-]{43}; Max-Age=2592000; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
  )
  const me = (await as(cookie, 'GET', '/api/v1/me')).json()
  assert.deepEqual(
    { ...me, session: null },
    {
      ...{ kind: 'person', name: 'Ada', email: 'ada@example.org', role: 'admin', two_factor: false },
      ...{ projects: [], scopes: null, session: null, factor_needed: false, recovery_codes: 0 },
    },
  )
  assert.equal((await as(cookie, 'GET', '/api/v1/apps')).statusCode, 200)
  const out = await as(cookie, 'POST', '/api/v1/sign-out')
  assert.equal(out.statusCode, 204)
  const [gone = '', visits = ''] = out.headers['set-cookie'] as string[]
  assert.match(gone, /^__Host-fairlead=; Max-Age=0; /)
  assert.match(visits, /^fairlead-preview=; Max-Age=0; Path=\/preview; /)
  assert.equal((await as(cookie, 'GET', '/api/v1/me')).statusCode, 401)
})

test('neither passwords nor what cookies hold are in the database', async () => {
  const cookie = await signIn()
  const { db } = manager.parts
  const kept = JSON.stringify([
    await db.selectFrom('people').selectAll().execute(),
    await db.selectFrom('sessions').selectAll().execute(),
  ])
  assert.ok(!kept.includes(ADMIN.password))
  assert.ok(!kept.includes(cookie.split('=')[1] ?? ''))
  assert.match(kept, /scrypt\$16384\$8\$5\$/)
})

test('the first token says of itself that it is one', async () => {
  const me = (await manager.ask('GET', '/api/v1/me')).json()
  assert.deepEqual([me.kind, me.name, me.role, me.session], ['token', 'admin', 'admin', null])
  assert.equal((await manager.ask('GET', '/api/v1/me/sessions')).json().code, 'FOR_PEOPLE_ONLY')
})

for (const [what, origin] of [
  ['of another host', 'https://evil.example.org'],
  ['of an app of the same domain', 'https://shop.fairlead.example.org'],
  ['of no page', undefined],
  ['of a page that hides', 'null'],
  ['of the same name without encryption', 'http://fairlead.example.org'],
] as const) {
  test(`A09 a write with the cookie from a page ${what} is refused`, async () => {
    const cookie = await signIn()
    const answer = await manager.server.inject({
      method: 'POST',
      url: '/api/v1/sign-out',
      headers: { cookie, ...(origin === undefined ? {} : { origin }) },
    })
    assert.deepEqual([answer.statusCode, answer.json().code], [403, 'ORIGIN_REFUSED'])
    assert.equal((await as(cookie, 'GET', '/api/v1/me')).statusCode, 200)
  })
}

test('A09 nobody is signed in by a page of another host', async () => {
  const headers = { origin: 'https://evil.example.org' }
  const answer = await manager.server.inject({
    method: 'POST',
    url: '/api/v1/sign-in',
    headers,
    payload: ADMIN,
  })
  assert.equal(answer.json().code, 'ORIGIN_REFUSED')
})

test('A08 an upgrade with the cookie from a page of another host is refused', async () => {
  const cookie = await signIn()
  const headers = { cookie, origin: 'https://evil.example.org', upgrade: 'websocket' }
  const answer = await manager.server.inject({ url: '/api/v1/events', headers })
  assert.equal(answer.statusCode, 403)
})

test('two cookies of the name are none', async () => {
  const cookie = await signIn()
  assert.equal((await as(`${cookie}; ${cookie}`, 'GET', '/api/v1/me')).json().code, 'TOKEN_MISSING')
})

test('a person lists and ends sessions, and a new password ends all others', async () => {
  const [first, second] = [await signIn(), await signIn()]
  const { items } = (await as(first, 'GET', '/api/v1/me/sessions')).json()
  const own = items.filter(({ is_this }: { is_this: boolean }) => is_this)
  assert.equal(own.length, 1)
  const newest = items[0]
  assert.equal(newest.is_this, false)
  assert.equal((await as(first, 'DELETE', `/api/v1/me/sessions/${newest.id}`)).statusCode, 204)
  assert.equal((await as(second, 'GET', '/api/v1/me')).statusCode, 401)
  assert.equal((await as(first, 'DELETE', `/api/v1/me/sessions/${newest.id}`)).statusCode, 404)

  const third = await signIn()
  const change = { current: ADMIN.password, new: 'another horse battery' }
  const wrong = await as(third, 'POST', '/api/v1/me/password', { ...change, current: 'wrong' })
  assert.equal(wrong.json().code, 'PASSWORD_WRONG')
  assert.equal((await as(third, 'POST', '/api/v1/me/password', change)).statusCode, 204)
  assert.equal((await as(first, 'GET', '/api/v1/me')).statusCode, 401)
  assert.equal((await as(third, 'GET', '/api/v1/me')).statusCode, 200)
  assert.equal((await post('/api/v1/sign-in', SIGN_IN)).statusCode, 401)
})

test('A14 a wrong password and an unknown address are answered alike', async () => {
  const [wrong, unknown] = [
    await post('/api/v1/sign-in', { ...SIGN_IN, password: 'wrong' }),
    await post('/api/v1/sign-in', { email: 'nobody@example.org', password: 'wrong' }),
  ]
  const told = ({ statusCode, body }: typeof wrong) => [statusCode, body.replace(/"request_id":"[^"]+"/, '')]
  assert.deepEqual(told(wrong), told(unknown))
  assert.equal(wrong.statusCode, 401)
})

test('A14 after ten wrong guesses from ten addresses the right password of the account helps nobody', async () => {
  const other = await testServer({ environment: { FAIRLEAD_TRUSTED_PROXIES: '10.0.0.0/8' } })
  try {
    const offer = await offerFirstStart(other.parts)
    const payload = { ...ADMIN, code: offer?.code }
    assert.equal(
      (await other.server.inject({ method: 'POST', url: '/api/v1/first-start', payload })).statusCode,
      201,
    )
    const guess = async (password: string, from: number) => {
      const { statusCode } = await other.server.inject({
        method: 'POST',
        url: '/api/v1/sign-in',
        remoteAddress: '10.0.0.1',
        headers: { 'x-forwarded-for': `203.0.113.${from}` },
        payload: { email: ADMIN.email, password },
      })
      return statusCode
    }
    // At once: none may slip in before the others are counted.
    const statuses = await Promise.all(Array.from({ length: 14 }, (_, n) => guess('wrong', n)))
    assert.deepEqual(statuses.sort(), [...Array(10).fill(401), ...Array(4).fill(429)])
    assert.equal(await guess(ADMIN.password, 50), 429)
  } finally {
    await other.close()
  }
})

test('A01 an invitation opens an account once, and the last admin stays', async () => {
  const eve = { name: 'Eve', email: 'eve@example.org', role: 'viewer' }
  const added = (await manager.ask('POST', '/api/v1/people', eve)).json()
  assert.equal(added.person.invited, true)
  assert.equal((await manager.ask('POST', '/api/v1/people', eve)).json().code, 'PERSON_EXISTS')
  const accept = { code: added.invitation.code, password: 'quite another horse' }
  const opened = await post('/api/v1/invitations', accept)
  assert.deepEqual(opened.json(), { next: 'done' })
  assert.equal((await post('/api/v1/invitations', accept)).json().code, 'INVITATION_WRONG')
  const cookie = String(opened.headers['set-cookie']).split(';')[0] ?? ''
  assert.equal((await as(cookie, 'GET', '/api/v1/me')).json().role, 'viewer')
  assert.equal((await as(cookie, 'GET', '/api/v1/people')).json().code, 'ROLE_MISSING')

  const { items } = (await manager.ask('GET', '/api/v1/people')).json()
  const ada = items.find(({ email }: { email: string }) => email === 'ada@example.org')
  for (const change of [{ role: 'maintainer' }, { disabled: true }]) {
    const answer = await manager.ask('PATCH', `/api/v1/people/${ada.id}`, change)
    assert.equal(answer.json().code, 'LAST_ADMIN')
  }
  assert.equal((await manager.ask('DELETE', `/api/v1/people/${ada.id}`)).json().code, 'LAST_ADMIN')
  const locked = await manager.ask('PATCH', `/api/v1/people/${added.person.id}`, { disabled: true })
  assert.equal(locked.json().disabled, true)
  assert.equal((await as(cookie, 'GET', '/api/v1/me')).statusCode, 401)
})

test('a token of a person may no more than its scopes and its person, and ends with the account', async () => {
  const cookie = await signIn()
  const { token, details } = (
    await as(cookie, 'POST', '/api/v1/tokens', { name: 'ci', scopes: ['read'] })
  ).json()
  assert.deepEqual([details.person, details.scopes, details.role], ['ada@example.org', ['read'], null])
  assert.ok(details.expires_at)
  const bearer = { authorization: `Bearer ${token}` }
  const ask = (method: 'GET' | 'POST', url: string, payload?: object) =>
    manager.server.inject({ method, url, headers: bearer, ...(payload ? { payload } : {}) })
  assert.equal((await ask('GET', '/api/v1/apps')).statusCode, 200)
  assert.equal((await ask('GET', '/api/v1/people')).json().code, 'SCOPE_MISSING')
  assert.equal((await ask('POST', '/api/v1/tokens', { name: 'more' })).json().code, 'FOR_PEOPLE_ONLY')
  const machine = { name: 'm', machine: { role: 'admin' } }
  assert.equal((await ask('POST', '/api/v1/tokens', machine)).json().code, 'ROLE_MISSING')
  assert.deepEqual((await ask('GET', '/api/v1/tokens')).json().items, [])
  const endless = await as(cookie, 'POST', '/api/v1/tokens', { name: 'x', days: null })
  assert.equal(endless.json().code, 'TOKEN_NEEDS_END')
  const { db } = manager.parts
  await db.updateTable('people').set({ role: null }).where('email', '=', 'ada@example.org').execute()
  assert.deepEqual((await ask('GET', '/api/v1/hosts')).json().code, 'ROLE_MISSING')
  await db.updateTable('people').set({ role: 'admin' }).where('email', '=', 'ada@example.org').execute()
  assert.equal((await as(cookie, 'DELETE', `/api/v1/tokens/${details.id}`)).statusCode, 204)
  assert.equal((await ask('GET', '/api/v1/apps')).statusCode, 401)
})

test('a machine may do in a project what its role says, and nothing beside it', async () => {
  await manager.ask('POST', '/api/v1/projects', { name: 'team' })
  const wanted = { name: 'm', days: null, machine: { role: 'viewer', project: 'team' } }
  const { token, details } = (await manager.ask('POST', '/api/v1/tokens', wanted)).json()
  assert.deepEqual([details.person, details.project, details.expires_at], [null, 'team', null])
  const ask = async (url: string) =>
    await manager.server.inject({ url, headers: { authorization: `Bearer ${token}` } })
  assert.deepEqual((await ask('/api/v1/projects')).json().items, [{ name: 'team', role: 'viewer' }])
  assert.equal((await ask('/api/v1/hosts')).json().code, 'ROLE_MISSING')
  assert.equal((await ask('/api/v1/projects/other')).statusCode, 404)
})

test('a person makes as many apps as they may, also at once, and no more', async () => {
  const { repository } = await seedApp(manager, 'quota')
  const { db } = manager.parts
  const { id } = await db
    .selectFrom('people')
    .select('id')
    .where('role', '=', 'admin')
    .executeTakeFirstOrThrow()
  const changed = await manager.ask('PATCH', `/api/v1/people/${id}`, { most_apps: 2 })
  assert.equal(changed.json().most_apps, 2)
  const cookie = await signIn()
  const make = (name: string) => as(cookie, 'POST', '/api/v1/apps', { name, repository: 'quota-repo' })
  const made = await Promise.all(['q-one', 'q-two', 'q-three'].map(make))
  assert.deepEqual(made.map(({ statusCode }) => statusCode).sort(), [201, 201, 403])
  assert.equal((await make('q-four')).json().code, 'APPS_OVER_QUOTA')
  const apps = await db.selectFrom('apps').select('name').where('repository_id', '=', repository).execute()
  assert.equal(apps.length, 3)
  await manager.ask('PATCH', `/api/v1/people/${id}`, { most_apps: null })
  assert.equal((await make('q-four')).statusCode, 201)
})

async function post(url: `/${string}`, payload: object) {
  return await manager.server.inject({ method: 'POST', url, headers: { origin: ORIGIN }, payload })
}

/** Without the work that a password makes. */
async function signIn() {
  const { db } = manager.parts
  const { id: personId } = await db
    .selectFrom('people')
    .select('id')
    .orderBy('created_at')
    .executeTakeFirstOrThrow()
  const session = { personId, awaitsFactor: false, address: '192.0.2.1', program: 'test' }
  const { value } = await openSession(manager.parts, session)
  return `__Host-fairlead=${value}`
}

async function as(cookie: string, method: 'GET' | 'POST' | 'DELETE', url: string, body?: object) {
  const headers = { cookie, origin: ORIGIN }
  return await manager.server.inject({ method, url, headers, ...(body ? { payload: body } : {}) })
}

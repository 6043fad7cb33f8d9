import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Secret, TOTP } from 'otpauth'
import type { RoleName } from '#contract/rest/people.ts'
import { newId } from '#lib/id.ts'
import { hashPassword } from '#manager/people/passwords.ts'
import { openSession } from '#manager/people/sessions.ts'
import { type TestServer, testServer } from './test-server.ts'

const ORIGIN = 'https://fairlead.example.org'
const SIGN_IN = { email: 'ada@example.org', password: 'correct horse battery' }

let manager: TestServer
before(async () => {
  manager = await testServer({ environment: { FAIRLEAD_PUBLIC_URL: ORIGIN } })
})
after(() => manager.close())

test('A14 with a second factor the password alone opens nothing, and each code opens once', async () => {
  const id = await someone(SIGN_IN.email, 'admin', await hashPassword(SIGN_IN.password))
  const own = await sessionFor(id)
  const wrong = await post(own, '/api/v1/me/two-factor', { password: 'wrong' })
  assert.equal(wrong.json().code, 'PASSWORD_WRONG')
  const early = await post(own, '/api/v1/me/two-factor/confirm', { code: '123456' })
  assert.equal(early.json().code, 'FACTOR_NOT_BEGUN')
  const begun = (await post(own, '/api/v1/me/two-factor', { password: SIGN_IN.password })).json()
  assert.match(begun.uri, new RegExp(`secret=${begun.secret}`))
  // Until it is confirmed, nobody is locked out by a telephone that did not take it.
  assert.deepEqual((await signIn()).json(), { next: 'done' })
  const first = codeFor(begun.secret, 0)
  const { recovery_codes: codes } = (await post(own, '/api/v1/me/two-factor/confirm', { code: first })).json()
  assert.equal(new Set(codes).size, 10)
  const kept = JSON.stringify(await manager.parts.db.selectFrom('people').selectAll().execute())
  assert.ok(!kept.includes(begun.secret) && !kept.includes(codes[0]))
  const twice = await post(own, '/api/v1/me/two-factor', { password: SIGN_IN.password })
  assert.equal(twice.json().code, 'FACTOR_EXISTS')

  const answer = await signIn()
  assert.deepEqual(answer.json(), { next: 'second-factor' })
  const waiting = cookieOf(answer)
  for (const url of ['/api/v1/me', '/api/v1/apps', '/api/v1/me/sessions']) {
    const { statusCode, json } = await get(waiting, url)
    assert.deepEqual([statusCode, json().code], [401, 'SECOND_FACTOR_MISSING'])
  }
  const again = await post(waiting, '/api/v1/sign-in/second-factor', { code: first })
  assert.equal(again.json().code, 'FACTOR_WRONG')
  const other = await manager.server.inject({
    method: 'POST',
    url: '/api/v1/sign-in/second-factor',
    headers: { cookie: waiting, origin: 'https://evil.example.org' },
    payload: { code: codes[0] },
  })
  assert.equal(other.json().code, 'ORIGIN_REFUSED')
  // Typed with a space, as authenticators show it, and of the next half minute: a slow machine may come to that.
  const next = codeFor(begun.secret, 1).replace(/^(...)/, '$1 ')
  const whole = await post(waiting, '/api/v1/sign-in/second-factor', { code: next })
  assert.deepEqual(whole.json(), { next: 'done' })
  assert.notEqual(cookieOf(whole), waiting)
  const me = (await get(cookieOf(whole), '/api/v1/me')).json()
  assert.deepEqual([me.two_factor, me.recovery_codes], [true, 10])
  assert.equal((await post(waiting, '/api/v1/sign-in/second-factor', { code: codes[0] })).statusCode, 401)

  const [second, third] = [cookieOf(await signIn()), cookieOf(await signIn())]
  assert.equal((await post(second, '/api/v1/sign-in/second-factor', { code: codes[0] })).statusCode, 200)
  const used = await post(third, '/api/v1/sign-in/second-factor', { code: codes[0] })
  assert.equal(used.json().code, 'FACTOR_WRONG')

  const renewed = await post(own, '/api/v1/me/two-factor/recovery-codes', { code: codes[1] })
  const fresh = renewed.json().recovery_codes
  const remove = (code: string) =>
    post(own, '/api/v1/me/two-factor/remove', { password: SIGN_IN.password, code })
  assert.equal((await remove(codes[2])).json().code, 'FACTOR_WRONG')
  assert.equal((await remove(fresh[0])).statusCode, 204)
  assert.deepEqual((await signIn()).json(), { next: 'done' })
})

test('A14 codes are not guessed: after ten wrong ones the right one opens nothing', async () => {
  const id = await someone('guessed@example.org', 'viewer', null)
  const own = await sessionFor(id)
  const { secret } = (await post(own, '/api/v1/me/two-factor', {})).json()
  // Each from an address of its own.
  const confirm = (code: string, from: number) =>
    manager.server.inject({
      method: 'POST',
      url: '/api/v1/me/two-factor/confirm',
      remoteAddress: `198.51.100.${from}`,
      headers: { origin: ORIGIN, cookie: own },
      payload: { code },
    })
  const guesses = await Promise.all(Array.from({ length: 11 }, (_, from) => confirm('x', from)))
  assert.deepEqual(guesses.map(({ statusCode }) => statusCode).sort(), [...Array(10).fill(403), 429])
  assert.equal((await confirm(codeFor(secret, 0), 99)).statusCode, 429)
})

test('A02 where the role needs a second factor nothing else is open until there is one', async () => {
  const [admin, viewer] = [
    await someone('admin@example.org', 'admin', null),
    await someone('viewer@example.org', 'viewer', null),
  ]
  const cookie = await sessionFor(admin)
  await manager.ask('PUT', '/api/v1/sign-in-rules', { two_factor: 'admins' })
  const me = (await get(cookie, '/api/v1/me')).json()
  assert.equal(me.factor_needed, true)
  for (const url of ['/api/v1/apps', '/api/v1/people', '/api/v1/me/sessions', '/api/v1/tokens']) {
    assert.equal((await get(cookie, url)).json().code, 'FACTOR_REQUIRED', url)
  }
  const token = await post(cookie, '/api/v1/tokens', { name: 'way around', scopes: ['read'] })
  assert.equal(token.json().code, 'FACTOR_REQUIRED')
  assert.equal((await get(await sessionFor(viewer), '/api/v1/apps')).statusCode, 200)
  const { db } = manager.parts
  await db.updateTable('people').set({ totp_at: 1 }).where('id', '=', admin).execute()
  assert.equal((await get(cookie, '/api/v1/apps')).statusCode, 200)
  // An admin takes it away from who has lost it.
  assert.equal((await manager.ask('DELETE', `/api/v1/people/${admin}/two-factor`)).statusCode, 204)
  assert.equal((await get(cookie, '/api/v1/apps')).json().code, 'FACTOR_REQUIRED')
  await manager.ask('PUT', '/api/v1/sign-in-rules', { two_factor: 'nobody' })
  assert.equal((await get(cookie, '/api/v1/apps')).statusCode, 200)
})

async function someone(email: string, role: RoleName, password: string | null): Promise<string> {
  const id = newId()
  const person = { id, name: email, email, password, role, created_at: 1 }
  await manager.parts.db.insertInto('people').values(person).execute()
  return id
}

async function sessionFor(personId: string): Promise<string> {
  const session = { personId, awaitsFactor: false, address: '', program: '' }
  return `__Host-fairlead=${(await openSession(manager.parts, session)).value}`
}

function codeFor(secret: string, steps: number): string {
  const totp = new TOTP({ secret: Secret.fromBase32(secret) })
  return totp.generate({ timestamp: manager.parts.clock.now() + steps * 30_000 })
}

function signIn() {
  return post('', '/api/v1/sign-in', SIGN_IN)
}

async function post(cookie: string, url: string, payload: object) {
  const headers = { origin: ORIGIN, ...(cookie === '' ? {} : { cookie }) }
  return await manager.server.inject({ method: 'POST', url, headers, payload })
}

async function get(cookie: string, url: string) {
  return await manager.server.inject({ url, headers: { cookie } })
}

function cookieOf({ headers }: { headers: Record<string, unknown> }): string {
  return String([headers['set-cookie']].flat()[0]).split(';')[0] ?? ''
}

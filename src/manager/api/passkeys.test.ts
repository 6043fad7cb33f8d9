import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '#lib/id.ts'
import { hashPassword } from '#manager/people/passwords.ts'
import { openSession } from '#manager/people/sessions.ts'
import { type TestServer, testServer } from './test-server.ts'

/** What a device answers is tried in a browser (e2e/account.ts); here is what is refused without one. */
const ORIGIN = 'https://fairlead.example.org'
const PASSWORD = 'a rope and a cleat'
const ANSWER = {
  ...{ id: 'AAAA', rawId: 'AAAA', type: 'public-key', clientExtensionResults: {} },
  response: { clientDataJSON: 'e30', authenticatorData: 'AAAA', signature: 'AAAA' },
}
let manager: TestServer
let cookie = ''

before(async () => {
  manager = await testServer({ environment: { FAIRLEAD_PUBLIC_URL: ORIGIN } })
  const { db } = manager.parts
  const person = { id: newId(), name: 'Ada', email: 'ada@example.org', role: 'admin', created_at: 1 } as const
  await db
    .insertInto('people')
    .values({ ...person, password: await hashPassword(PASSWORD) })
    .execute()
  const session = { personId: person.id, awaitsFactor: false, address: '', program: '' }
  cookie = `__Host-fairlead=${(await openSession(manager.parts, session)).value}`
})
after(() => manager.close())

async function post(path: string, payload: object, cookies = cookie) {
  const headers = { cookie: cookies, origin: ORIGIN }
  return await manager.server.inject({ method: 'POST', url: `/api/v1${path}`, headers, payload })
}

const cookieOf = (answer: Awaited<ReturnType<typeof post>>) =>
  String(answer.headers['set-cookie']).split(';', 1)[0] ?? ''

test('a passkey is begun with the password alone, for a device that looks who is there and finds it by itself', async () => {
  const wrong = await post('/me/passkeys/begin', { password: 'not the password' })
  assert.equal(wrong.json().code, 'PASSWORD_WRONG')
  assert.equal(wrong.headers['set-cookie'], undefined)
  const answer = await post('/me/passkeys/begin', { password: PASSWORD })
  const { rp, user, authenticatorSelection } = answer.json().options
  assert.deepEqual([rp.id, user.name], ['fairlead.example.org', 'ada@example.org'])
  assert.equal(authenticatorSelection.userVerification, 'required')
  assert.equal(authenticatorSelection.residentKey, 'required')
  assert.match(String(answer.headers['set-cookie']), /HttpOnly; Secure; SameSite=Strict/)
})

test('an answer that nothing was begun for opens nothing, and none counts twice or for something else', async () => {
  const without = await post('/sign-in/passkey', { response: ANSWER }, '')
  assert.deepEqual([without.statusCode, without.json().code], [400, 'PASSKEY_LOST'])
  const begun = cookieOf(await post('/sign-in/passkey/begin', {}, ''))
  const unknown = await post('/sign-in/passkey', { response: ANSWER }, begun)
  assert.deepEqual([unknown.statusCode, unknown.json().code], [401, 'PASSKEY_REFUSED'])
  assert.equal((await post('/sign-in/passkey', { response: ANSWER }, begun)).json().code, 'PASSKEY_LOST')
  const toAdd = cookieOf(await post('/me/passkeys/begin', { password: PASSWORD }))
  assert.equal((await post('/sign-in/passkey', { response: ANSWER }, toAdd)).json().code, 'PASSKEY_LOST')
  const forged = await post('/me/passkeys', { name: 'x', response: ANSWER }, `${cookie}; ${toAdd}`)
  assert.deepEqual([forged.statusCode, forged.json().code], [401, 'PASSKEY_REFUSED'])
})

test('one removes passkeys of one’s own alone, and an admin who takes a second factor away takes all of them', async () => {
  const { db } = manager.parts
  const grace = { id: newId(), name: 'Grace', email: 'grace@example.org', role: null, created_at: 1 }
  await db.insertInto('people').values(grace).execute()
  const row = { id: 'hers', person_id: grace.id, name: 'telephone', public_key: '', counter: 0 }
  await db
    .insertInto('passkeys')
    .values({ ...row, transports: '[]', created_at: 1, used_at: null })
    .execute()
  const headers = { cookie, origin: ORIGIN }
  const refused = await manager.server.inject({ method: 'DELETE', url: '/api/v1/me/passkeys/hers', headers })
  assert.equal(refused.json().code, 'PASSKEY_NOT_FOUND')
  assert.equal((await manager.ask('DELETE', `/api/v1/people/${grace.id}/two-factor`)).statusCode, 204)
  assert.deepEqual(await db.selectFrom('passkeys').selectAll().execute(), [])
})

import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { Provider } from 'oidc-provider'
import { newId } from '#lib/id.ts'
import { type TestServer, testServer } from './test-server.ts'

const ORIGIN = 'https://fairlead.example.org'
const CALLBACK = `${ORIGIN}/sign-in/corp/callback`
const SECRET = 'a secret of the client, long enough'
/** Who is known at the provider. */
const THERE: Record<string, Record<string, unknown>> = {
  'sub-ada': {
    email: 'Ada@example.org',
    email_verified: true,
    name: 'Ada L',
    groups: ['staff', 'deployers'],
  },
  'sub-eve': { email: 'ada@example.org', email_verified: false, name: 'Eve' },
  'sub-new': { email: 'new@example.org', email_verified: true, name: 'New', groups: 'staff' },
}

let manager: TestServer
let issuer = ''
const server = createServer()
/** Who answers when the provider asks who they are; undefined: they refuse. */
let atProvider: string | undefined = 'sub-ada'

before(async () => {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const provider = aProvider()
  server.on('request', async (request, response) => {
    if (!request.url?.startsWith('/interaction/')) {
      provider.callback()(request, response)
      return
    }
    const result =
      atProvider === undefined ? { error: 'access_denied' } : { login: { accountId: atProvider } }
    await provider.interactionFinished(request, response, result)
  })
  manager = await testServer({
    environment: { FAIRLEAD_PUBLIC_URL: ORIGIN, FAIRLEAD_ALLOW_PRIVATE: '127.0.0.0/8' },
  })
  await addPerson('ada@example.org')
})
after(async () => {
  server.closeAllConnections()
  server.close()
  await manager.close()
})

test('a person signs in with an account elsewhere, which is found by its e-mail address only where that is allowed', async () => {
  await settle({})
  const options = (await manager.server.inject({ url: '/api/v1/sign-in' })).json()
  assert.deepEqual(options.providers, [{ name: 'corp', url: '/sign-in/corp' }])
  const refused = await signIn()
  assert.deepEqual([refused.statusCode, cookieOf(refused)], [403, undefined])
  assert.match(refused.body, /Nobody here has the account &#34;Ada@example.org&#34;/)
  assert.match(refused.body, /href="&#47;login"|href="\/login"/)

  await settle({ link_by_email: true })
  const answer = await signIn('/apps/shop?tab=log')
  assert.deepEqual([answer.statusCode, answer.headers.location], [303, '/apps/shop?tab=log'])
  const me = await meWith(cookieOf(answer))
  assert.deepEqual([me.kind, me.email, me.role], ['person', 'ada@example.org', 'admin'])
  // From then on by what the provider calls it: the address there may be another's one day.
  await settle({})
  THERE['sub-ada'] = { ...THERE['sub-ada'], email: 'married@example.org' }
  assert.equal((await meWith(cookieOf(await signIn()))).email, 'ada@example.org')
})

test('an address that the provider has not verified is nobody’s', async () => {
  await settle({ link_by_email: true, makes_accounts: true })
  atProvider = 'sub-eve'
  const answer = await signIn()
  assert.deepEqual([answer.statusCode, cookieOf(answer)], [403, undefined])
  assert.match(answer.body, /does not say that it has verified/)
})

test('who has no account gets one where that is allowed, with the role that a claim gives at each sign-in', async () => {
  atProvider = 'sub-new'
  await settle({ link_by_email: true })
  assert.equal((await signIn()).statusCode, 403)
  const roles = { staff: 'viewer', deployers: 'deployer' }
  await settle({ makes_accounts: true, role_claim: 'groups', roles })
  const me = await meWith(cookieOf(await signIn()))
  assert.deepEqual([me.email, me.name, me.role], ['new@example.org', 'New', 'viewer'])
  THERE['sub-new'] = { ...THERE['sub-new'], groups: ['staff', 'deployers', 'constructor'] }
  assert.equal((await meWith(cookieOf(await signIn()))).role, 'deployer')
  THERE['sub-new'] = { ...THERE['sub-new'], groups: undefined }
  assert.equal((await meWith(cookieOf(await signIn()))).role, null)
  // The last admin stays one, whatever the provider says.
  atProvider = 'sub-ada'
  THERE['sub-ada'] = { ...THERE['sub-ada'], groups: ['staff'] }
  assert.equal((await meWith(cookieOf(await signIn()))).role, 'admin')
  await manager.parts.db
    .updateTable('people')
    .set({ disabled_at: 1 })
    .where('email', '=', 'new@example.org')
    .execute()
  atProvider = 'sub-new'
  assert.equal((await signIn()).statusCode, 403)
})

test('A09 an answer of the provider counts once, and in the browser in which it was begun', async () => {
  await settle({ link_by_email: true })
  atProvider = 'sub-ada'
  const [own, other] = [await begin(), await begin()]
  const back = await browse(own.location)
  for (const [what, cookie] of [
    ['without the cookie', ''],
    ['with that of another browser', other.cookie],
    ['with one that nobody sealed', '__Host-fairlead-sign-in=v1.AAAA'],
  ] as const) {
    const answer = await callback(back, cookie)
    assert.ok(answer.statusCode === 400 || answer.statusCode === 401, what)
    assert.equal(cookieOf(answer), undefined, what)
    assert.match(answer.body, /You are not signed in/, what)
  }
  const whole = await callback(back, own.cookie)
  assert.equal(whole.statusCode, 303, whole.body)
  assert.match(String(whole.headers['set-cookie']), /__Host-fairlead-sign-in=; Max-Age=0/)
  const again = await callback(back, own.cookie)
  assert.deepEqual([again.statusCode, cookieOf(again)], [401, undefined])
  const elsewhere = await begin('//evil.example.org/x')
  const safe = await callback(await browse(elsewhere.location), elsewhere.cookie)
  assert.equal(safe.headers.location, '/')
})

test('who refuses at the provider, or has a second factor here, is not signed in', async () => {
  atProvider = undefined
  const refused = await signIn()
  assert.equal(refused.statusCode, 401)
  assert.match(refused.body, /access_denied/)
  atProvider = 'sub-ada'
  const { db } = manager.parts
  await db.updateTable('people').set({ totp_at: 1 }).where('email', '=', 'ada@example.org').execute()
  const half = await signIn('/apps')
  assert.equal(half.headers.location, '/login?step=second-factor&to=%2Fapps')
  const me = await manager.server.inject({ url: '/api/v1/me', headers: { cookie: cookieOf(half) ?? '' } })
  assert.equal(me.json().code, 'SECOND_FACTOR_MISSING')
  await db.updateTable('people').set({ totp_at: null }).where('email', '=', 'ada@example.org').execute()
})

test('a provider that does not answer is told when it is set, and its secret is told to nobody', async () => {
  const wrong = await settle({ issuer: `${issuer}/nothing` })
  assert.deepEqual([wrong.statusCode, wrong.json().code], [502, 'PROVIDER_UNREACHABLE'])
  const all = await manager.ask('GET', '/api/v1/providers')
  assert.deepEqual(
    all.json().items.map(({ has_secret }: { has_secret: boolean }) => has_secret),
    [true],
  )
  const kept = JSON.stringify(await manager.parts.db.selectFrom('providers').selectAll().execute())
  assert.ok(!all.body.includes(SECRET) && !kept.includes(SECRET))
  // A secret is not handed to another server.
  const { client_secret: _, ...without } = body({ issuer: `${issuer}/` })
  const moved = await manager.ask('PUT', '/api/v1/providers/corp', without)
  assert.ok(moved.statusCode !== 200 || moved.json().has_secret === false, moved.body)
  assert.equal((await manager.ask('DELETE', '/api/v1/providers/corp')).statusCode, 204)
  assert.equal((await manager.server.inject({ url: '/sign-in/corp' })).statusCode, 404)
})

function aProvider(): Provider {
  const client = { client_id: 'fairlead', client_secret: SECRET, redirect_uris: [CALLBACK] }
  return new Provider(issuer, {
    clients: [client],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'groups'] },
    conformIdTokenClaims: false,
    cookies: { keys: ['of a test'] },
    pkce: { required: () => true },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...THERE[id] }) }),
    async loadExistingGrant(context) {
      const { oidc } = context
      const grant = new oidc.provider.Grant({
        clientId: oidc.client?.clientId ?? '',
        accountId: oidc.session?.accountId ?? '',
      })
      grant.addOIDCScope('openid email profile')
      await grant.save()
      return grant
    },
  })
}

function body(changes: object) {
  return { issuer, client_id: 'fairlead', client_secret: SECRET, ...changes }
}

async function settle(changes: object) {
  return await manager.ask('PUT', '/api/v1/providers/corp', body(changes))
}

async function addPerson(email: string): Promise<void> {
  const person = { id: newId(), name: 'Ada', email, role: 'admin', created_at: 1 } as const
  await manager.parts.db.insertInto('people').values(person).execute()
}

async function signIn(to?: string) {
  const { location, cookie } = await begin(to)
  return await callback(await browse(location), cookie)
}

async function begin(to?: string) {
  const query = to === undefined ? '' : `?${new URLSearchParams({ to })}`
  const answer = await manager.server.inject({ url: `/sign-in/corp${query}` })
  assert.equal(answer.statusCode, 303, answer.body)
  const cookie = String([answer.headers['set-cookie']].flat()[0]).split(';')[0] ?? ''
  return { location: String(answer.headers.location), cookie }
}

async function callback(url: URL, cookie: string) {
  return await manager.server.inject({ url: `${url.pathname}${url.search}`, headers: { cookie } })
}

/** Follows the provider as a fresh browser does, to where it leads back to the manager. */
async function browse(start: string): Promise<URL> {
  const jar = new Map<string, string>()
  let url = new URL(start)
  while (url.origin !== ORIGIN) {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await fetch(url, { redirect: 'manual', headers: { cookie } })
    for (const each of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(each) ?? []
      jar.set(name, value)
    }
    const location = answer.headers.get('location')
    assert.ok(location, `${url} answered ${answer.status}: ${await answer.text()}`)
    url = new URL(location, url)
  }
  return url
}

/** What the manager sets as the session; undefined: none. */
function cookieOf({ headers }: { headers: Record<string, unknown> }): string | undefined {
  const cookies = [headers['set-cookie'] ?? []].flat().map(String)
  return cookies.find(each => each.startsWith('__Host-fairlead=fls_'))?.split(';')[0]
}

async function meWith(cookie: string | undefined) {
  assert.ok(cookie)
  return (await manager.server.inject({ url: '/api/v1/me', headers: { cookie } })).json()
}

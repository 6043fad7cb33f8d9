import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import { FakeHost } from '#manager/organisations/test-fake-host.ts'
import { type TestServer, testServer } from './test-server.ts'

const TOKEN = 'ghp_canary0123456789'
let host: FakeHost
let manager: TestServer
before(async () => {
  host = await new FakeHost().open()
})
after(() => host.close())
beforeEach(async () => {
  host.organisation = { id: 9919, login: 'acme' }
  host.repositories = [
    { id: 1, full_name: 'acme/shop', topics: ['fairlead'], default_branch: 'trunk' },
    { id: 2, full_name: 'acme/site' },
  ]
  host.refusal = undefined
  host.origins.clear()
  host.tokens.clear()
  host.asked.length = 0
  manager = await testServer({ http: host.http })
})
afterEach(() => manager.close())

test('R67 G09 with an organisation on the list nothing else can be registered', async () => {
  assert.equal((await register('before', 'https://gitlab.com/someone/x.git')).statusCode, 201)
  await addAcme()
  for (const url of [
    'https://github.com/evil/x.git',
    'https://github.com/acme-evil/shop.git',
    'https://gitlab.com/acme/shop.git',
    'git@git.example.org:acme/shop.git',
    'https://github.com:8443/acme/shop.git',
  ]) {
    const refused = await register('refused', url)
    assert.deepEqual([refused.statusCode, refused.json().code], [403, 'OWNER_NOT_ALLOWED'], url)
    assert.match(refused.json().hint, /organisations add/)
    const moved = await ask('PATCH', '/repositories/before', { url })
    assert.equal(moved.statusCode, 403, url)
  }
  assert.equal((await register('ssh', 'git@github.com:acme/site.git', aKey())).statusCode, 201)
  assert.equal((await register('web', 'https://github.com/Acme/Site.git')).json().organisation, 'acme')
})

test('R67 with nothing on any list the public Git hosts that are known may be registered, and networks that were allowed', async () => {
  const own = await testServer({ environment: { FAIRLEAD_ALLOW_PRIVATE: '10.1.0.0/16' }, http: host.http })
  const add = async (url: string) =>
    await own.ask('POST', '/api/v1/repositories', { name: `r${url.replace(/\W/g, '')}`, url })
  for (const url of [
    'https://github.com/someone/x.git',
    'https://gitlab.com/someone/x.git',
    'https://codeberg.org/someone/x.git',
    'https://10.1.2.3/someone/x.git',
  ]) {
    assert.equal((await add(url)).statusCode, 201, url)
  }
  for (const url of [
    'https://git.example.org/someone/x.git',
    'https://github.com:8443/someone/x.git',
    'https://evil-github.com/someone/x.git',
    'https://8.8.8.8/someone/x.git',
  ]) {
    const refused = await add(url)
    assert.deepEqual([refused.statusCode, refused.json().code], [403, 'OWNER_NOT_ALLOWED'], url)
    assert.match(refused.json().hint, /FAIRLEAD_GIT_HOSTS=[\w.-]+ where the manager starts/)
  }
  await own.close()
})

test('R67 a whole server can be allowed where the manager starts, and then only that', async () => {
  const own = await testServer({ environment: { FAIRLEAD_GIT_HOSTS: 'git.example.org' }, http: host.http })
  const add = (name: string, url: string) => own.ask('POST', '/api/v1/repositories', { name, url })
  assert.equal((await add('one', 'https://git.example.org/any/x.git')).statusCode, 201)
  assert.equal((await add('two', 'https://github.com/acme/shop.git')).statusCode, 403)
  await own.close()
})

test('G09 an organisation whose name was given to another one is refused, and so is what it has', async () => {
  await addAcme()
  await check()
  host.organisation = { id: 666, login: 'acme' }
  const refused = await register('site', 'https://github.com/acme/site.git')
  assert.deepEqual([refused.statusCode, refused.json().code], [403, 'ORGANISATION_REPLACED'])
  assert.equal((await ask('POST', '/organisations/acme/check')).statusCode, 403)
  const shop = await read('shop')
  assert.deepEqual([shop.problem.code, shop.paused], ['ORGANISATION_REPLACED', true])
  assert.equal((await ask('GET', '/organisations/acme')).json().problem.code, 'ORGANISATION_REPLACED')
})

test('R65 a repository with the topic is registered by itself, the others are not and say why', async () => {
  host.repositories.push(
    { id: 3, full_name: 'acme/fork', topics: ['fairlead'], fork: true },
    { id: 4, full_name: 'acme/old', topics: ['fairlead'], archived: true },
    { id: 5, full_name: 'acme/off', topics: ['fairlead'], disabled: true },
  )
  await addAcme({ token: TOKEN })
  assert.deepEqual(await check(), {
    'acme/shop': 'registered',
    'acme/site': 'not-marked',
    'acme/fork': 'fork',
    'acme/old': 'archived',
    'acme/off': 'disabled',
  })
  const { id, ...shop } = await read('shop')
  assert.deepEqual(
    [shop.url, shop.branch, shop.auto_apps, shop.organisation, shop.credential],
    ['https://github.com/acme/shop.git', 'trunk', true, 'acme', { kind: 'https' }],
  )
  assert.ok(manager.recorded.looked.includes(id))
  assert.equal((await check())['acme/shop'], 'known')
  assert.deepEqual([...host.origins], ['https://api.github.com'])
  assert.deepEqual([...host.tokens], [`Bearer ${TOKEN}`])
})

test('R65 a repository whose name or branch cannot be used is refused alone, with the reason, and the others are taken', async () => {
  host.repositories.unshift(
    { id: 8, full_name: 'acme/-x', topics: ['fairlead'] },
    { id: 9, full_name: 'acme/odd', topics: ['fairlead'], default_branch: '-odd..branch' },
  )
  await addAcme()
  const { repositories } = (await ask('POST', '/organisations/acme/check')).json()
  const outcomes = Object.fromEntries(
    repositories.map((each: { path: string; outcome: string }) => [each.path, each.outcome]),
  )
  assert.deepEqual(outcomes, {
    'acme/-x': 'refused',
    'acme/odd': 'refused',
    'acme/shop': 'registered',
    'acme/site': 'not-marked',
  })
  assert.match(repositories[0].reason, /starts with "-"/)
  host.repositories = host.repositories.map(each =>
    each.full_name === 'acme/shop' ? { ...each, full_name: 'acme/-shop' } : each,
  )
  assert.equal((await check())['acme/-shop'], 'refused')
  assert.equal((await read('shop')).url, 'https://github.com/acme/shop.git')
})

test('a fairlead.yaml can be the marker, and without discovery nothing is registered', async () => {
  host.deployFiles.add('acme/site')
  await addAcme({ discovery: false, marker: 'file' })
  assert.deepEqual(await check(), { 'acme/shop': 'discovery-off', 'acme/site': 'discovery-off' })
  await ask('PATCH', '/organisations/acme', { discovery: true })
  assert.deepEqual(await check(), { 'acme/shop': 'not-marked', 'acme/site': 'registered' })
})

test('R65 all pages of a listing count, also for what is no longer there', async () => {
  host.repositories = Array.from({ length: 250 }, (_, index) => ({
    id: index + 1,
    full_name: `acme/r${index}`,
    topics: index === 249 ? ['fairlead'] : [],
  }))
  await addAcme()
  assert.equal((await check())['acme/r249'], 'registered')
  assert.equal(host.asked.filter(path => path === '/orgs/acme/repos').length, 3)
  host.repositories.splice(0, 100)
  assert.equal((await check())['acme/r249'], 'known')
})

test('G09 a rename is followed; a repository that left, or whose name another one has, stops and may come back', async () => {
  await addAcme()
  await check()
  const [shop] = host.repositories
  assert.ok(shop)
  shop.full_name = 'acme/store'
  assert.equal((await check())['acme/store'], 'renamed')
  assert.equal((await read('shop')).url, 'https://github.com/acme/store.git')
  shop.full_name = 'evil/store'
  host.repositories.push({ id: 7, full_name: 'acme/store' })
  const gone = await check()
  assert.equal(gone['acme/store'], 'not-marked')
  const stopped = await read('shop')
  assert.deepEqual([stopped.problem.code, stopped.paused], ['REPOSITORY_LEFT', true])
  host.repositories.pop()
  shop.full_name = 'acme/store'
  assert.equal((await check())['acme/store'], 'resumed')
  assert.deepEqual([(await read('shop')).problem, (await read('shop')).paused], [null, false])
})

test('a repository that was there before its organisation becomes one of it, once, also when it is listed twice at once', async () => {
  await register('mine', 'git@github.com:acme/shop.git', aKey())
  host.repositories.push({ id: 3, full_name: 'acme/new', topics: ['fairlead'] })
  await addAcme()
  const twice = await Promise.all([check(), check()])
  assert.deepEqual(
    twice.map(found => found['acme/shop']),
    ['known', 'known'],
  )
  const { organisation, credential } = await read('mine')
  assert.deepEqual([organisation, credential], ['acme', { kind: 'ssh' }])
  assert.equal((await ask('GET', '/repositories')).json().items.length, 2)
})

test('taken off the list, an organisation has its repositories stopped; added again, they go on', async () => {
  await addAcme()
  await check()
  assert.equal((await ask('DELETE', '/organisations/acme')).statusCode, 204)
  const { problem, organisation } = await read('shop')
  assert.deepEqual([problem.code, organisation], ['OWNER_NOT_ALLOWED', null])
  await addAcme()
  assert.equal((await check())['acme/shop'], 'resumed')
  assert.equal((await read('shop')).problem, null)
})

test('R65 a repository that is removed here comes back with the next listing, also when that is unchanged', async () => {
  await addAcme({ token: TOKEN })
  await check()
  assert.equal((await ask('DELETE', '/repositories/shop')).statusCode, 204)
  const row = await manager.parts.db.selectFrom('organisations').selectAll().executeTakeFirstOrThrow()
  assert.equal(row.etag, null)
  assert.equal((await check())['acme/shop'], 'registered')
})

test('a new token is that of all repositories that have no credential of their own, and is never shown', async () => {
  await addAcme({ token: TOKEN })
  await check()
  await register('own', 'https://github.com/acme/site.git', {
    credential: { kind: 'https', username: 'u', password: 'mine' },
  })
  const changed = await ask('PATCH', '/organisations/acme', { token: 'ghp_second0123456789' })
  assert.equal(changed.json().token, true)
  const passwords = async () => {
    const rows = await manager.parts.db.selectFrom('repositories').selectAll().orderBy('name').execute()
    return rows.map(({ id, credential_sealed: sealed }) =>
      sealed === null
        ? null
        : JSON.parse(manager.parts.sealer.open(sealed, `repositories/${id}/credential`)).password,
    )
  }
  assert.deepEqual(await passwords(), ['mine', 'ghp_second0123456789'])
  await ask('PATCH', '/repositories/own', { credential: null })
  assert.deepEqual(await passwords(), [null, 'ghp_second0123456789'])
  assert.equal((await ask('DELETE', '/organisations/acme')).statusCode, 204)
  assert.deepEqual(await passwords(), [null, null])
  await addAcme({ token: 'ghp_second0123456789' })
  await check()
  await ask('PATCH', '/organisations/acme', { token: null })
  assert.deepEqual(await passwords(), [null, null])
  const list = await ask('GET', '/organisations')
  assert.doesNotMatch(JSON.stringify([list.json(), manager.recorded.logged]), /canary|second/)
})

test('A02 the token of an organisation reads no other repository for who could not have added it', async () => {
  await addAcme({ token: TOKEN })
  await check()
  const machine = { role: 'maintainer' }
  const { token } = (await ask('POST', '/tokens', { name: 'm', machine })).json()
  const headers = { authorization: `Bearer ${token}` }
  const url = 'https://github.com/acme/site.git'
  const refused = await manager.ask('PATCH', '/api/v1/repositories/shop', { url }, headers)
  assert.deepEqual([refused.statusCode, refused.json().code], [422, 'CREDENTIAL_NEEDED'])
  assert.equal((await ask('PATCH', '/repositories/shop', { url })).statusCode, 200)
})

for (const [what, refusal, code, waitMs] of [
  [
    'a quota that is used up',
    () => ({
      status: 403,
      headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': `${inSeconds(600)}` },
    }),
    'HOST_QUOTA_USED',
    600_000,
  ],
  ['too many requests', () => ({ status: 429, headers: { 'retry-after': '40' } }), 'HOST_QUOTA_USED', 40_000],
  ['a token that is refused', () => ({ status: 401 }), 'TOKEN_REFUSED', 300_000],
  ['a server in trouble', () => ({ status: 502 }), 'HOST_API_FAILED', 300_000],
] as const) {
  test(`${what} stops no repository: it is listed again when that makes sense`, async () => {
    await addAcme()
    await check()
    host.refusal = refusal()
    assert.equal((await ask('POST', '/organisations/acme/check')).json().code, code)
    const { problem, next_listing_at } = (await ask('GET', '/organisations/acme')).json()
    assert.equal(problem.code, code)
    const wait = Date.parse(next_listing_at) - manager.parts.clock.now()
    assert.ok(wait > waitMs - 30_000 && wait <= waitMs + 5000, `${wait} ms`)
    assert.equal((await read('shop')).problem, null)
    assert.notEqual((await register('site', 'https://github.com/acme/site.git')).statusCode, 201)
  })
}

function inSeconds(seconds: number): number {
  return Math.floor(Date.now() / 1000) + seconds
}

async function addAcme(more: object = {}): Promise<void> {
  const body = { name: 'acme', git_host: 'github', discovery: true, ...more }
  const answer = await ask('POST', '/organisations', body)
  assert.equal(answer.statusCode, 201, answer.body)
  assert.equal(answer.json().remote_id, '9919')
}

async function check(): Promise<Record<string, string>> {
  const answer = await ask('POST', '/organisations/acme/check')
  assert.equal(answer.statusCode, 200, answer.body)
  const { repositories } = answer.json() as { repositories: { path: string; outcome: string }[] }
  return Object.fromEntries(repositories.map(({ path, outcome }) => [path, outcome]))
}

async function register(name: string, url: string, more: object = {}) {
  return await ask('POST', '/repositories', { name, url, ...more })
}

async function read(name: string) {
  return (await ask('GET', `/repositories/${name}`)).json()
}

async function ask(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: object) {
  return await manager.ask(method, `/api/v1${path}`, body)
}

function aKey() {
  return { credential: { kind: 'ssh', private_key: 'key', known_hosts: 'github.com ssh-ed25519 AAAA' } }
}

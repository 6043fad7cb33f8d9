import assert from 'node:assert/strict'
import { createHmac, randomUUID } from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
import { sql } from 'kysely'
import type { GitHost } from '#git-hosts/git-host.ts'
import { gitHostNamed } from '#git-hosts/index.ts'
import { NOT_IN_A_FILE } from '#manager/store/test-database.ts'
import { seedApp, type TestServer, testServer } from './test-server.ts'
import { until } from './test-signed.ts'
import { rawRequest } from './test-socket.ts'

const BRANCH = 'refs/heads/main'
let manager: TestServer
let hook = { path: '', secret: '' }
let app = ''

before(async () => {
  manager = await testServer()
  await manager.server.listen({ host: '127.0.0.1', port: 0 })
})
after(() => manager.close())
beforeEach(async () => {
  const { db } = manager.parts
  await db.deleteFrom('apps').execute()
  await db.deleteFrom('repositories').execute()
  app = (await seedApp(manager, 'shop')).app
  hook = await aHook('github')
})

test('R89 a signed push is stored with its deployment and answered 202', async () => {
  const answer = await push()
  assert.equal(answer.statusCode, 202)
  const [deployment] = await deployments()
  assert.deepEqual(answer.json().deployments, [deployment?.id])
  assert.equal(deployment?.app_id, app)
  assert.match(deployment?.trigger ?? '', /"kind":"webhook","by":"github"/)
  assert.ok(answer.body.length <= 200)
  assert.equal(answer.headers['cache-control'], 'no-store')
})

test('G09 a push to a repository that was stopped starts nothing and is no failure', async () => {
  await manager.parts.db.updateTable('repositories').set({ stopped: '{}' }).execute()
  const answer = await push()
  assert.deepEqual([answer.statusCode, answer.json().ignored], [200, 'stopped'])
  assert.deepEqual(await deployments(), [])
})

test('W01 W02 W04 an unsigned or wrongly signed delivery is refused and leaves no row', async () => {
  const body = pushBody()
  const wrong = [{}, { 'x-hub-signature-256': sign('other body') }, { 'x-hub-signature': sign(body) }]
  for (const headers of wrong) {
    const answer = await deliver(body, { ...headers, 'x-github-event': 'push' })
    assert.equal(answer.statusCode, 401)
    assert.deepEqual(Object.keys(answer.json()), ['error', 'id'])
  }
  assert.deepEqual(await rows('deliveries'), [])
})

test('W27 an unknown hook answers as a bad signature does', async () => {
  const unknown = await manager.server.inject({
    method: 'POST',
    url: '/hooks/AAAAAAAAAAAAAAAAAAAAAA',
    headers: { 'content-type': 'application/json' },
    payload: pushBody(),
  })
  const bad = await deliver(pushBody(), {})
  assert.equal(unknown.statusCode, bad.statusCode)
  assert.equal(unknown.json().error, bad.json().error)
  const headersOf = (answer: typeof bad) => Object.keys(answer.headers).sort()
  assert.deepEqual(headersOf(unknown), headersOf(bad))
})

test('W27 a delivery for an unknown hook is verified too, as one for a known hook is', async t => {
  const verify = t.mock.method(gitHostNamed('github') as GitHost, 'verify')
  const headers = { 'x-hub-signature-256': sign('other body') }
  for (const path of [hook.path, '/hooks/AAAAAAAAAAAAAAAAAAAAAA']) {
    assert.equal((await deliver(pushBody(), headers, { ...hook, path })).statusCode, 401)
  }
  const given = verify.mock.calls.map(({ arguments: [raw, secrets] }) => [
    raw.body.toString(),
    raw.headers['x-hub-signature-256'],
    secrets.map(secret => secret !== ''),
  ])
  assert.equal(given.length, 2)
  assert.deepEqual(given[1], given[0])
})

test('W05 a signature in the header of another host is refused', async () => {
  const plain = await aHook('hmac')
  const body = pushBody()
  assert.equal(
    (await deliver(body, { 'x-hub-signature-256': sign(body, plain.secret) }, plain)).statusCode,
    401,
  )
  const bare = sign(body, plain.secret).slice('sha256='.length)
  assert.equal((await deliver(body, { 'x-signature': bare }, plain)).statusCode, 202)
})

test('W06 two signature headers are refused, also when one is valid', async () => {
  const body = pushBody()
  const headers = [
    `X-Hub-Signature-256: ${sign(body)}`,
    `X-Hub-Signature-256: sha256=${'0'.repeat(64)}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  const status = await rawRequest(manager, hook.path, { headers, body })
  assert.equal(status, 400)
})

test('W11 text that is no UTF-8 is refused after its signature was checked', async () => {
  const [one, other] = [Buffer.from('{"a":"\xff"}', 'latin1'), Buffer.from('{"a":"\xfe"}', 'latin1')]
  const signature = `sha256=${createHmac('sha256', hook.secret).update(one).digest('hex')}`
  const headers = {
    'x-hub-signature-256': signature,
    'x-github-delivery': randomUUID(),
    'x-github-event': 'push',
  }
  assert.equal((await deliver(one, headers)).statusCode, 400)
  assert.equal((await deliver(other, headers)).statusCode, 401)
})

test('W14 the same delivery twice at once makes one deployment', async () => {
  const id = randomUUID()
  const answers = await Promise.all([push({ id }), push({ id })])
  assert.deepEqual(answers.map(answer => answer.statusCode).sort(), [200, 202])
  assert.deepEqual(answers[0]?.json().deployments, answers[1]?.json().deployments)
  assert.equal((await deployments()).length, 1)
})

test('W15 the same id with another body is refused and noted', async () => {
  const id = randomUUID()
  await push({ id })
  const answer = await push({ id, extra: 'changed' })
  assert.equal(answer.statusCode, 400)
  assert.ok(manager.recorded.logged.some(line => line.fields?.code === 'DELIVERY_CONFLICT'))
})

test('W16 a redelivery after a failed deployment is a new attempt, after a successful one a duplicate', async () => {
  const { db } = manager.parts
  const id = randomUUID()
  const first = (await push({ id })).json().deployments[0]
  await db.updateTable('deployments').set({ state: 'failed' }).where('id', '=', first).execute()
  const again = await push({ id })
  assert.equal(again.statusCode, 202)
  const second = again.json().deployments[0]
  assert.notEqual(second, first)
  await db.updateTable('deployments').set({ state: 'succeeded' }).where('id', '=', second).execute()
  const third = await push({ id })
  assert.equal(third.statusCode, 200)
  assert.deepEqual(third.json(), { delivery: id, duplicate: true, deployments: [second] })
})

test('W17 W26 however many deliveries come in whatever order, one deployment waits', async () => {
  const answers = await Promise.all(Array.from({ length: 200 }, () => push()))
  assert.ok(answers.every(answer => answer.statusCode === 202))
  assert.equal((await deployments()).length, 1)
})

test('W19 a body over the limit is refused: announced before reading, chunked at the limit', async () => {
  const announced = await rawRequest(manager, hook.path, {
    headers: ['Content-Type: application/json', 'Content-Length: 30000000'],
  })
  assert.equal(announced, 413)
  const chunk = `100000\r\n${'x'.repeat(0x100000)}\r\n`
  const headers = ['Content-Type: application/json', 'Transfer-Encoding: chunked']
  const chunked = await rawRequest(manager, hook.path, { headers, body: chunk.repeat(7) })
  assert.equal(chunked, 413)
})

test('W21 deep nesting is refused before it is parsed', async () => {
  const answer = await signedDelivery('['.repeat(2_000_000))
  assert.equal(answer.statusCode, 400)
})

test('W22 W23 encoded and form bodies are refused', async () => {
  assert.equal(
    (await signedDelivery('payload=%7B%7D', { 'content-type': 'application/x-www-form-urlencoded' }))
      .statusCode,
    415,
  )
  assert.equal((await signedDelivery(pushBody(), { 'content-encoding': 'gzip' })).statusCode, 415)
})

test('W24 W25 prototype keys and duplicate keys change nothing', async () => {
  const body = `{"__proto__":{"admin":true},"constructor":{},"ref":"refs/heads/other",${pushBody().slice(1)}`
  assert.equal((await signedDelivery(body)).statusCode, 202)
  assert.equal(({} as { admin?: boolean }).admin, undefined)
})

test('W29 an event of another repository than the first one is refused and noted', async () => {
  await push()
  const answer = await push({ repository: 2 })
  assert.equal(answer.statusCode, 403)
  assert.ok(manager.recorded.logged.some(line => line.fields?.code === 'OTHER_REPOSITORY'))
  assert.equal((await rows('deliveries')).length, 1)
})

for (const [what, fields, reason] of [
  ['W30 a deleted branch', { after: '0'.repeat(40) }, 'branch-deleted'],
  ['W33 another branch', { ref: 'refs/heads/refs/heads/main' }, 'other-branch'],
  ['W33 a tag of the same name', { ref: 'refs/tags/main' }, 'not-a-branch'],
  ['W32 a ping', { event: 'ping' }, 'ping'],
  ['W34 an unknown event', { event: 'future' }, 'event'],
] as const) {
  test(`${what} is answered 200 and starts nothing`, async () => {
    const answer = await push(fields)
    assert.equal(answer.statusCode, 200)
    assert.equal(answer.json().ignored, reason)
    assert.deepEqual(await deployments(), [])
  })
}

test('R90 a tag asks for a deployment of the apps that take their version from tags, and of no other', async () => {
  const { db } = manager.parts
  const { app: other } = await seedApp(manager, 'other')
  const { repository_id } = await db
    .selectFrom('apps')
    .select('repository_id')
    .where('id', '=', app)
    .executeTakeFirstOrThrow()
  await db.updateTable('apps').set({ repository_id, uses_tags: 1 }).where('id', '=', other).execute()
  assert.equal((await push({ ref: 'refs/tags/v1.0.0' })).statusCode, 202)
  assert.deepEqual(
    (await deployments()).map(({ app_id }) => app_id),
    [other],
  )
  assert.equal((await push({ ref: 'refs/notes/commits' })).json().ignored, 'not-a-branch')
})

test('W28 failures are counted by the address of the socket, and a valid signature still passes', async () => {
  const statuses: number[] = []
  for (let count = 0; count < 12; count += 1) {
    const answer = await manager.server.inject({
      method: 'POST',
      url: hook.path,
      remoteAddress: '203.0.113.50',
      headers: { 'content-type': 'application/json', 'x-forwarded-for': `1.2.3.${count}` },
      payload: '{}',
    })
    statuses.push(answer.statusCode)
  }
  assert.deepEqual(statuses, [...Array(10).fill(401), 429, 429])
  assert.equal((await push({ from: '203.0.113.50' })).statusCode, 202)
})

// A server of PostgreSQL that is away: integration/postgres.test.ts.
const inFile = { skip: NOT_IN_A_FILE }
test(
  'W35 when nothing can be stored the sender is asked to come again, and nothing is half-written',
  inFile,
  async () => {
    const { db } = manager.parts
    await sql`vacuum`.execute(db)
    await sql.raw('pragma max_page_count = 1').execute(db)
    const answers = await Promise.all(Array.from({ length: 40 }, () => push()))
    await sql.raw('pragma max_page_count = 4294967294').execute(db)
    const stored = answers.filter(answer => answer.statusCode === 202).length
    const refused = answers.filter(answer => answer.statusCode === 503)
    assert.equal(stored + refused.length, 40)
    assert.ok(refused.length > 0)
    assert.ok(refused.every(answer => answer.headers['retry-after'] !== undefined))
    assert.equal((await rows('deliveries')).length, stored)
  },
)

test('the secret before the current one stays valid until its time is over', async () => {
  const old = hook
  hook = await aHook('github')
  assert.equal(hook.path, old.path)
  assert.equal((await push({ secret: old.secret })).statusCode, 202)
  await manager.parts.db.updateTable('hooks').set({ previous_until: 1 }).execute()
  assert.equal((await push({ secret: old.secret })).statusCode, 401)
  assert.equal((await push()).statusCode, 202)
})

test('only POST is allowed', async () => {
  for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const) {
    const { statusCode, headers } = await manager.server.inject({ method, url: hook.path })
    assert.deepEqual([statusCode, headers.allow], [405, 'POST'], method)
  }
})

interface PushOptions {
  readonly id?: string
  readonly secret?: string
  readonly from?: string
  readonly event?: string
  readonly ref?: string
  readonly after?: string
  readonly repository?: number
  readonly extra?: string
}

async function push({ id = randomUUID(), ...options }: PushOptions = {}) {
  const body = pushBody({ extra: id, ...options })
  return await manager.server.inject({
    method: 'POST',
    url: hook.path,
    remoteAddress: options.from ?? '198.51.100.1',
    headers: {
      'content-type': 'application/json',
      'x-hub-signature-256': sign(body, options.secret ?? hook.secret),
      'x-github-event': options.event ?? 'push',
      'x-github-delivery': id,
    },
    payload: body,
  })
}

function pushBody({
  ref = BRANCH,
  after = 'b'.repeat(40),
  repository = 1,
  extra = '',
}: PushOptions = {}): string {
  return JSON.stringify({ ref, before: 'a'.repeat(40), after, repository: { id: repository }, extra })
}

async function signedDelivery(body: string, headers: Record<string, string> = {}) {
  const own = {
    'x-hub-signature-256': sign(body),
    'x-github-event': 'push',
    'x-github-delivery': randomUUID(),
  }
  return await deliver(body, { ...own, ...headers })
}

async function deliver(payload: string | Buffer, headers: Record<string, string>, to = hook) {
  const type = { 'content-type': 'application/json' }
  return await manager.server.inject({
    method: 'POST',
    url: to.path,
    headers: { ...type, ...headers },
    payload,
  })
}

function sign(body: string, secret = hook.secret): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
}

async function aHook(gitHost: string): Promise<{ path: string; secret: string }> {
  const answer = await manager.ask('POST', '/api/v1/repositories/shop-repo/webhook-secret', {
    git_host: gitHost,
  })
  const { url, secret } = answer.json()
  return { path: new URL(url).pathname, secret }
}

async function deployments() {
  return await manager.parts.db.selectFrom('deployments').selectAll().orderBy('id').execute()
}

async function rows(table: 'deliveries') {
  return await manager.parts.db.selectFrom(table).selectAll().execute()
}

test('R51 a push to a repository makes those be looked at whose apps take files of it, though it has no apps of its own', async () => {
  const { db } = manager.parts
  const user = await seedApp(manager, 'board')
  const other = await seedApp(manager, 'other')
  const url = (await db.selectFrom('repositories').select('url').executeTakeFirstOrThrow()).url
  for (const [ids, path] of [
    [user, url.replace('https://', 'ssh://git@')],
    [other, `${url.replace('.git', '')}-else.git`],
  ] as const) {
    const remotes = JSON.stringify({
      checkout: 'c',
      remotes: [{ name: 'code', url: path, branch: 'b', commit: 'c' }],
    })
    const row = {
      app_id: ids.app,
      kind: 'deploy',
      trigger: '{}',
      cancel_requested: 0,
      created_at: 1,
    } as const
    await db
      .insertInto('deployments')
      .values({ ...row, id: randomUUID(), state: 'succeeded', remotes })
      .execute()
  }
  await db.deleteFrom('apps').where('id', '=', app).execute()
  manager.recorded.looked.length = 0
  const answer = await push()
  assert.deepEqual([answer.statusCode, answer.json().ignored], [200, 'no-apps'])
  await until(() => manager.recorded.looked.length > 0)
  assert.deepEqual(manager.recorded.looked, [user.repository])
})

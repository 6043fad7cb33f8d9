import assert from 'node:assert/strict'
import { createHmac, randomUUID } from 'node:crypto'
import { afterEach, beforeEach, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { WebhookDocument } from '#contract/rest/repositories.ts'
import { hookSecretPlace } from '#manager/repositories/hook-secrets.ts'
import { seedApp, type TestServer, testServer } from './test-server.ts'

let manager: TestServer
let hook = { id: '', secret: '' }

beforeEach(async () => {
  manager = await testServer()
  await seedApp(manager, 'shop')
  hook = await rotate()
})
afterEach(() => manager.close())

test('W07 a hook whose stored secret is empty accepts nothing, and the health of the manager says so', async () => {
  await storeSecret(manager.parts.sealer.seal('', hookSecretPlace(hook.id)))
  assert.equal((await push('')).statusCode, 401)
  assert.equal((await push(hook.secret)).statusCode, 401)
  assert.deepEqual((await manager.parts.db.selectFrom('deliveries').selectAll().execute()).length, 0)
  const { problem, last_refused_reason: reason } = await refused()
  assert.deepEqual([problem?.code, reason], ['HOOK_SECRET_UNUSABLE', 'no-secret'])
  assert.match(problem?.message ?? '', /is empty/)
  const ready = await manager.server.inject({ url: '/health/ready' })
  assert.deepEqual([ready.statusCode, ready.json().webhooks], [200, { unusable: 1 }])
})

test('W27 a hook whose stored secret cannot be opened answers as an unknown one does', async () => {
  const { sealer } = manager.parts
  for (const damaged of ['', 'v1.AAAA', sealer.seal(hook.secret, 'hooks/other/secret')]) {
    await storeSecret(damaged)
    const [known, unknown] = [await push(hook.secret), await push(hook.secret, 'A'.repeat(22))]
    assert.deepEqual(
      [known.statusCode, known.json().error, Object.keys(known.headers).sort()],
      [401, unknown.json().error, Object.keys(unknown.headers).sort()],
    )
  }
  assert.equal((await webhook()).problem?.code, 'HOOK_SECRET_UNUSABLE')
  assert.ok(manager.recorded.logged.every(({ event }) => event !== 'hook.failed'))
})

test('a damaged secret does not keep out who still signs with the one before', async () => {
  const old = hook
  hook = await rotate()
  await storeSecret('damaged')
  assert.equal((await push(old.secret)).statusCode, 202)
  assert.equal((await webhook()).last_verified_with, 'previous')
})

test('a refusal leaves a trace: which hook, from where and why, in the log and at the repository', async () => {
  assert.equal((await push('another secret')).statusCode, 401)
  const { last_refused_reason: reason, last_refused_at: at, problem } = await refused()
  assert.deepEqual([reason, problem], ['wrong-signature', null])
  assert.ok(Date.parse(at ?? '') > Date.now() - 600_000)
  const [line, ...others] = traces()
  assert.deepEqual(others, [])
  assert.deepEqual([line?.hook, line?.address, line?.reason], [hook.id, '198.51.100.7', 'wrong-signature'])
})

test('a delivery without a signature is told from one with a wrong one', async () => {
  await send(aBody(), {})
  assert.equal((await refused()).last_refused_reason, 'no-signature')
})

test('a clock that is off is told from a wrong signature', async () => {
  hook = await rotate('standard')
  const body = aBody()
  const key = Buffer.from(hook.secret.slice('whsec_'.length), 'base64')
  const timestamp = String(Math.floor(Date.now() / 1000) - 3600)
  const mac = createHmac('sha256', key).update(`m1.${timestamp}.${body}`).digest('base64')
  await send(body, { 'webhook-id': 'm1', 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${mac}` })
  assert.equal((await refused()).last_refused_reason, 'stale-timestamp')
})

test('many refusals are one line and one row a minute, also for hooks that do not exist', async () => {
  for (let count = 0; count < 5; count += 1) {
    await push('another secret')
    await push('another secret', 'B'.repeat(22))
  }
  await refused()
  assert.deepEqual(
    traces().map(line => line.hook),
    [hook.id, undefined],
  )
  await manager.parts.db.updateTable('hooks').set({ last_refused_at: null }).execute()
  await push('another secret')
  await settle()
  assert.equal((await webhook()).last_refused_at, null)
})

test('it shows which secret is of use, and writes that only when it changes', async () => {
  assert.equal((await webhook()).last_verified_with, null)
  await push(hook.secret)
  assert.equal((await webhook()).last_verified_with, 'current')
  const old = hook
  hook = await rotate()
  assert.equal((await webhook()).last_verified_with, 'previous')
  await push(old.secret)
  assert.equal((await webhook()).last_verified_with, 'previous')
  await push(hook.secret)
  assert.equal((await webhook()).last_verified_with, 'current')
  const { db } = manager.parts
  const before = await db.selectFrom('hooks').selectAll().executeTakeFirstOrThrow()
  assert.equal((await push(hook.secret)).statusCode, 202)
  assert.deepEqual(await db.selectFrom('hooks').selectAll().executeTakeFirstOrThrow(), before)
})

async function push(secret: string, to = hook.id) {
  const body = aBody()
  const signature = createHmac('sha256', secret).update(body).digest('hex')
  return await send(body, { 'x-hub-signature-256': `sha256=${signature}` }, to)
}

/** Equal ones would be one delivery. */
function aBody(): string {
  const moved = { ref: 'refs/heads/main', before: 'a'.repeat(40), after: 'b'.repeat(40) }
  return JSON.stringify({ ...moved, repository: { id: 1 }, extra: randomUUID() })
}

async function send(payload: string, headers: Record<string, string>, to = hook.id) {
  return await manager.server.inject({
    method: 'POST',
    url: `/hooks/${to}`,
    remoteAddress: to === hook.id ? '198.51.100.7' : '198.51.100.8',
    headers: {
      'content-type': 'application/json',
      'x-github-event': 'push',
      'x-github-delivery': randomUUID(),
      ...headers,
    },
    payload,
  })
}

async function webhook(): Promise<WebhookDocument> {
  return (await manager.ask('GET', '/api/v1/repositories/shop-repo')).json().webhook
}

/** The webhook, once a refusal has been written down: no answer waits for that. */
async function refused(): Promise<WebhookDocument> {
  let found = await webhook()
  for (let turn = 0; found.last_refused_at === null && turn < 1000; turn += 1) {
    await nextTurn()
    found = await webhook()
  }
  return found
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) {
    await nextTurn()
  }
}

function traces() {
  return manager.recorded.logged
    .filter(({ event }) => event === 'hook.not-signed')
    .map(({ fields }) => ({ ...fields }))
}

async function storeSecret(sealed: string): Promise<void> {
  await manager.parts.db.updateTable('hooks').set({ secret_sealed: sealed }).execute()
}

async function rotate(gitHost = 'github'): Promise<{ id: string; secret: string }> {
  const path = '/api/v1/repositories/shop-repo/webhook-secret'
  const { url, secret } = (await manager.ask('POST', path, { git_host: gitHost })).json()
  return { id: new URL(url).pathname.split('/').at(-1) ?? '', secret }
}

import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { type TestServer, testServer } from './test-server.ts'

const SECRET = 's3cr3t'

test('R108 R112 W28 the calls of one address are counted, whoever it says that it is, before anything is checked', async () => {
  const usual = await testServer({ environment: { DEPLOY_SECRET: SECRET } })
  const statuses: number[] = []
  for (let at = 0; at < 12; at += 1) {
    const headers = { 'x-forwarded-for': `1.2.3.${at}` }
    statuses.push((await post('/deploy/media', { on: usual, headers })).statusCode)
  }
  assert.deepEqual(statuses, [...Array(10).fill(401), 429, 429])
  const refused = await post('/deploy/media', { on: usual, key: SECRET })
  assert.equal(refused.statusCode, 429)
  assert.equal(refused.headers['retry-after'], '60')
  assert.equal(refused.json().ok, false)
  await usual.close()
})

test('behind a trusted proxy callers are told apart', async () => {
  const environment = {
    DEPLOY_SECRET: SECRET,
    RATE_LIMIT_PER_MIN: '1',
    FAIRLEAD_TRUSTED_PROXIES: '127.0.0.1',
  }
  const behind = await testServer({ environment })
  for (const [client, status] of [
    ['1.2.3.4', 401],
    ['1.2.3.4', 429],
    ['1.2.3.5', 401],
  ] as const) {
    const headers = { 'x-forwarded-for': client }
    assert.equal((await post('/deploy/media', { on: behind, headers })).statusCode, status)
  }
  await behind.close()
})

interface Call {
  readonly on: TestServer
  readonly key?: string
  readonly headers?: Readonly<Record<string, string>>
}

async function post(url: string, { on, key = 'another secret', headers }: Call) {
  const signature = createHmac('sha256', key).update('media').digest('hex')
  return await on.server.inject({ method: 'POST', url, headers: { 'x-signature': signature, ...headers } })
}

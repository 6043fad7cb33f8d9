import { equal, rejects } from 'node:assert/strict'
import { after, beforeEach, describe, test } from 'node:test'
import { jwtVerify } from 'jose'
import { silentLogger } from '#lib/logger.ts'
import { TestClock } from '#lib/test-clock.ts'
import { createHttpClient } from '#manager/http.ts'
import { createIssuerKeys, type IssuerKeys } from './issuer-keys.ts'
import { startTestIssuer, type TestIssuer } from './test-issuer.ts'

const MINUTE = 60_000
let issuer: TestIssuer
let clock: TestClock
let keys: IssuerKeys
const started: TestIssuer[] = []

beforeEach(async () => {
  clock = new TestClock(Date.now())
  issuer = await startTestIssuer(() => clock.now())
  started.push(issuer)
  keys = keysFor(['127.0.0.0/8'])
})
after(async () => {
  await Promise.all(started.map(one => one.close()))
})

function keysFor(allowPrivate: readonly string[]): IssuerKeys {
  return createIssuerKeys({ http: createHttpClient({ clock, allowPrivate }), clock, logger: silentLogger })
}

async function verify(token?: string): Promise<unknown> {
  const find = keys.of({ issuer: issuer.url, ca: undefined, keys: undefined })
  return await jwtVerify(token ?? (await issuer.sign()), find, { currentDate: new Date(clock.now()) })
}

async function pass(ms: number): Promise<void> {
  await clock.pass(ms, async () => undefined)
}

describe('the keys of an issuer', () => {
  test('are asked for once, by however many wait, and again after ten minutes', async () => {
    await Promise.all([verify(), verify(), verify()])
    await verify()
    equal(issuer.asked(), 1)
    await pass(11 * MINUTE)
    await verify()
    equal(issuer.asked(), 2)
  })

  test('that were changed are found at the first token of the new one', async () => {
    await verify()
    await pass(MINUTE)
    await issuer.rotate()
    await verify()
    equal(issuer.asked(), 2)
  })

  test('are not asked for more often because somebody invents key names', async () => {
    const old = await issuer.sign()
    await issuer.rotate()
    await verify()
    for (let count = 0; count < 5; count++) {
      await rejects(verify(old), { code: 'ERR_JWKS_NO_MATCHING_KEY' })
    }
    equal(issuer.asked(), 1)
  })

  for (const [what, fault] of [
    ['fails', { status: 500 }],
    ['answers with megabytes', { text: `{"keys":[${' '.repeat(300 * 1024)}]}` }],
    ['answers with something else', { text: '<html>' }],
    ['gives no public key', { text: '{"keys":[{"kty":"oct","k":"c2VjcmV0","kid":"first"}]}' }],
  ] as const) {
    test(`stay known while the issuer ${what}, but not for ever; without any the reason is told`, async () => {
      const token = await issuer.sign()
      await verify(token)
      issuer.failWith(fault)
      await pass(11 * MINUTE)
      await verify(await issuer.sign())
      await pass(25 * 60 * MINUTE)
      await rejects(async () => await verify(await issuer.sign()), { code: 'ISSUER_KEYS_UNKNOWN' })
    })
  }

  test('of an issuer that answers slowly are given up after five seconds', async () => {
    issuer.failWith({ silent: true })
    const waiting = verify()
    const settled = rejects(waiting, { code: 'ISSUER_KEYS_UNKNOWN', message: /within 5 s/ })
    while (issuer.asked() === 0) {
      await new Promise(resolve => setImmediate(resolve))
    }
    await pass(5_001)
    await settled
  })

  test('are asked for ever more rarely while that fails, and not before the issuer wants it', async () => {
    issuer.failWith({ status: 500 })
    await rejects(verify())
    await rejects(verify())
    equal(issuer.asked(), 1)
    await pass(31_000)
    await rejects(verify())
    await pass(31_000)
    await rejects(verify())
    equal(issuer.asked(), 2)
    issuer.failWith({ status: 429, retryAfter: 1800 })
    await pass(30_000)
    await rejects(verify())
    equal(issuer.asked(), 3)
    issuer.failWith(undefined)
    await pass(20 * MINUTE)
    await rejects(verify())
    equal(issuer.asked(), 3)
    await pass(11 * MINUTE)
    await verify()
  })

  test('of an issuer in a private network are asked for only where the owner allows that network', async () => {
    keys = keysFor([])
    await rejects(verify(), { code: 'ISSUER_KEYS_UNKNOWN', message: /sends nothing there/ })
  })

  test('are not taken from metadata of another issuer', async () => {
    issuer.lie({ issuer: 'https://evil.example.org' })
    await rejects(verify(), { code: 'ISSUER_KEYS_UNKNOWN', message: /that of another issuer/ })
    equal(issuer.asked(), 0)
  })

  test('are not asked for where they would come unencrypted', async () => {
    // A name is this machine only as long as whoever answers for names says so.
    issuer.lie({ jwks_uri: `${issuer.url.replace('127.0.0.1', 'localhost')}/keys` })
    await rejects(verify(), { code: 'ISSUER_NOT_USABLE', message: /unencrypted/ })
    equal(issuer.asked(), 0)
  })

  test('that were given need no issuer', async () => {
    const token = await issuer.sign()
    const given = issuer.keys() as { keys: Record<string, unknown>[] }
    const find = keys.of({ issuer: 'https://gitlab.internal', ca: undefined, keys: given })
    await jwtVerify(token, find, { currentDate: new Date(clock.now()) })
    equal(issuer.asked(), 0)
  })
})

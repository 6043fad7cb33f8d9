import { deepEqual, doesNotMatch, equal, match } from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { SignJWT, UnsecuredJWT } from 'jose'
import { newId } from '#lib/id.ts'
import { JOB, type SignOptions, startTestIssuer, type TestIssuer } from '#manager/ci/test-issuer.ts'
import { seedApp, type TestServer, testServer } from './test-server.ts'

const AUDIENCE = 'https://fairlead.example.org'
const CLAIMS = { repository: 'acme/shop', ref: 'refs/heads/main' }
const HOUR = 3_600

let server: TestServer
let issuer: TestIssuer
let deployments: { shop: string; other: string }

before(async () => {
  issuer = await startTestIssuer()
  server = await testServer({
    environment: { FAIRLEAD_ALLOW_PRIVATE: '127.0.0.0/8', FAIRLEAD_PUBLIC_URL: AUDIENCE },
  })
  const ids = { shop: await seedApp(server, 'shop'), other: await seedApp(server, 'other') }
  deployments = { shop: await seedDeployment(ids.shop.app), other: await seedDeployment(ids.other.app) }
  equal((await trust('shop-ci')).statusCode, 201)
})
after(async () => {
  await server.close()
  await issuer.close()
})

async function seedDeployment(app: string): Promise<string> {
  const id = newId()
  const values = {
    id,
    app_id: app,
    kind: 'deploy',
    state: 'succeeded',
    trigger: '{"kind":"api","by":"x"}',
  } as const
  await server.parts.db
    .insertInto('deployments')
    .values({ ...values, cancel_requested: 0, created_at: 1 })
    .execute()
  return id
}

async function trust(name: string, more: object = {}) {
  const body = { name, issuer: issuer.url, claims: CLAIMS, apps: ['shop'], ...more }
  return await server.ask('POST', '/api/v1/ci-trusts', body)
}

async function exchange(idToken: string, from = '192.0.2.1') {
  const payload = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
    subject_token: idToken,
  }
  const url = '/api/v1/token-exchange'
  return await server.server.inject({ method: 'POST', url, payload, remoteAddress: from })
}

async function tokenOfJob(): Promise<string> {
  const answer = await exchange(await issuer.sign())
  equal(answer.statusCode, 200, answer.body)
  return answer.json().access_token
}

describe('a job of a trusted repository', () => {
  test('gets a token that ends within an hour, for the apps of the trust', async () => {
    const answer = await exchange(await issuer.sign())
    const { access_token, ...others } = answer.json()
    match(access_token, /^flt_/)
    deepEqual(others, {
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: 'Bearer',
      expires_in: HOUR,
      apps: ['shop'],
    })
    equal(answer.headers['cache-control'], 'no-store')
  })

  test('deploys the app and reads its deployments; the deployment says which job', async () => {
    const authorization = `Bearer ${await tokenOfJob()}`
    const started = await server.ask('POST', '/api/v1/apps/shop/deploy', {}, { authorization })
    equal(started.statusCode, 202, started.body)
    deepEqual(started.json().trigger, { kind: 'ci', by: 'ci shop-ci: repo:acme/shop:ref:refs/heads/main' })
    for (const path of [`deployments/${deployments.shop}`, `deployments/${deployments.shop}/log`]) {
      equal((await server.ask('GET', `/api/v1/${path}`, undefined, { authorization })).statusCode, 200, path)
    }
  })

  test('may do nothing else, on no route there is', async () => {
    const authorization = `Bearer ${await tokenOfJob()}`
    const release = { release: newId() }
    for (const [method, path, body] of [
      ['POST', 'apps/other/deploy', {}],
      ['POST', 'apps/shop/deploy', release],
      ['GET', `deployments/${deployments.other}`],
      ['GET', `deployments/${deployments.other}/log`],
      ['GET', `deployments/${newId()}`],
      ['GET', 'deployments'],
      ['POST', `deployments/${deployments.shop}/cancel`],
      ['POST', `deployments/${deployments.shop}/approve`, { hash: 'a'.repeat(64) }],
      ['GET', 'apps'],
      ['GET', 'apps/shop'],
      ['DELETE', 'apps/shop'],
      ['POST', 'apps/shop/rollback', release],
      ['POST', 'apps/shop/plan', {}],
      ['GET', 'apps/shop/logs'],
      ['GET', 'repositories'],
      ['GET', 'hosts'],
      ['GET', 'events'],
      ['GET', 'ci-trusts'],
      ['DELETE', 'ci-trusts/shop-ci'],
    ] as const) {
      const answer = await server.ask(method, `/api/v1/${path}`, body, { authorization })
      equal(answer.statusCode, 403, `${method} ${path}: ${answer.body}`)
      equal(answer.json().code, 'NOT_ALLOWED_HERE')
    }
  })

  test('may do nothing any more when its token has ended, or its trust is gone', async () => {
    equal(
      (await trust('for-a-while', { claims: { sub: 'repo:acme/other:x' }, apps: ['other'] })).statusCode,
      201,
    )
    const { access_token } = (await exchange(await issuer.sign({ ...JOB, sub: 'repo:acme/other:x' }))).json()
    const ask = async (token: string, app: string) =>
      (await server.ask('POST', `/api/v1/apps/${app}/deploy`, {}, { authorization: `Bearer ${token}` }))
        .statusCode
    equal(await ask(access_token, 'other'), 202)
    equal((await server.ask('DELETE', '/api/v1/ci-trusts/for-a-while')).statusCode, 204)
    equal(await ask(access_token, 'other'), 403)
    const ending = await tokenOfJob()
    equal(await ask(ending, 'shop'), 202)
    await server.parts.db
      .updateTable('tokens')
      .set({ expires_at: Date.now() - 1 })
      .where('trusts', 'is not', null)
      .execute()
    equal(await ask(ending, 'shop'), 401)
  })
})

describe('no token is given for', () => {
  const now = Math.floor(Date.now() / 1_000)
  for (const [index, [what, options, reason]] of (
    [
      ['another audience', { audience: 'https://other.example.org' }, /another audience/],
      ['an issuer that nobody trusts', { issuer: 'https://evil.example.org' }, /no trust names its issuer/],
      ['a time that is over', { expiresAt: now - 61 }, /has expired/],
      ['a time that has not begun', { notBefore: now + HOUR }, /not valid yet/],
      ['a day that is long gone', { issuedAt: now - 25 * HOUR, notBefore: 0 }, /older than a day/],
    ] as [string, SignOptions, RegExp][]
  ).entries()) {
    test(what, async () => {
      const answer = await exchange(await issuer.sign(JOB, options), `192.0.2.${index + 10}`)
      equal(answer.statusCode, 401)
      equal(answer.json().code, 'ID_TOKEN_INVALID')
      match(answer.json().detail, reason)
    })
  }

  test('a clock that differs by less than a minute is no reason', async () => {
    const token = await issuer.sign(JOB, { notBefore: now + 45, expiresAt: now + HOUR })
    equal((await exchange(token)).statusCode, 200)
  })

  test('what is not signed, signed with a secret that everybody knows, or changed afterwards', async () => {
    const claims = { ...JOB, iss: issuer.url, aud: AUDIENCE, iat: now, exp: now + 300 }
    const [key] = issuer.keys().keys
    const secret = new TextEncoder().encode(JSON.stringify(key))
    const signed = await issuer.sign()
    const [head, , signature] = signed.split('.')
    const forged = Buffer.from(JSON.stringify({ ...claims, repository: 'acme/shop' })).toString('base64url')
    for (const token of [
      new UnsecuredJWT(claims).encode(),
      await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'first' }).sign(secret),
      `${head}.${forged}.${signature}`,
      `${head}.e30.`,
    ]) {
      const answer = await exchange(token, '192.0.2.30')
      equal(answer.statusCode, 401, answer.body)
      equal(answer.json().code, 'ID_TOKEN_INVALID')
    }
  })

  test('a job of another repository, branch, or the pull request of a fork', async () => {
    for (const claims of [
      { ...JOB, repository: 'evil/shop' },
      { ...JOB, ref: 'refs/heads/x' },
      { ...JOB, ref: 'refs/pull/7/merge', event_name: 'pull_request' },
      { ...JOB, event_name: 'pull_request_target' },
    ]) {
      const answer = await exchange(await issuer.sign(claims), '192.0.2.31')
      equal(answer.statusCode, 403)
      equal(answer.json().code, 'JOB_NOT_TRUSTED')
      match(answer.json().detail, /repository=/)
    }
  })

  test('who tries it too often', async () => {
    const token = await issuer.sign({ ...JOB, repository: 'evil/shop' })
    const statuses = []
    for (let count = 0; count < 11; count++) {
      statuses.push((await exchange(token, '192.0.2.40')).statusCode)
    }
    deepEqual([...new Set(statuses)], [403, 429])
    equal((await exchange(await issuer.sign(), '192.0.2.40')).statusCode, 200)
  })
})

describe('a trust', () => {
  test('with keys of its own needs no issuer that answers', async () => {
    const away = { issuer: 'https://gitlab.internal.example', keys: issuer.keys() }
    equal((await trust('air-gapped', away)).statusCode, 201)
    equal((await exchange(await issuer.sign(JOB, { issuer: away.issuer }))).statusCode, 200)
  })

  test('is refused when it would let strangers in, or its keys would come unencrypted', async () => {
    equal(
      (await trust('wide', { claims: { ref: 'main', environment: 'x' } })).json().code,
      'CI_TRUST_TOO_WIDE',
    )
    equal((await trust('plain', { issuer: 'http://gitlab.example.org' })).json().code, 'ISSUER_NOT_USABLE')
    equal((await trust('shop-ci')).json().code, 'CI_TRUST_EXISTS')
  })

  test('is listed with when it was used last', async () => {
    const { items } = (await server.ask('GET', '/api/v1/ci-trusts')).json()
    const shop = items.find(({ name }: { name: string }) => name === 'shop-ci')
    deepEqual([shop.audience, shop.claims, shop.apps, shop.keys], [AUDIENCE, CLAIMS, ['shop'], 'asked'])
    match(shop.last_used_at, /^20/)
  })
})

test('neither the ID token nor the token that it was exchanged for is ever logged or kept', async () => {
  const idToken = await issuer.sign()
  const { access_token } = (await exchange(idToken)).json()
  await exchange(`${idToken.slice(0, -2)}AA`, '192.0.2.50')
  await exchange(`${idToken}!`, '192.0.2.50')
  const logged = JSON.stringify(server.recorded.logged)
  match(logged, /ci\.token-given/)
  const [, claims = '', signature = ''] = idToken.split('.')
  const kept = JSON.stringify(await server.parts.db.selectFrom('tokens').selectAll().execute())
  for (const text of [logged, kept]) {
    doesNotMatch(text, new RegExp(`${access_token}|${claims}|${signature.slice(0, 60)}`))
  }
})

import { deepEqual, doesNotMatch, equal, match, ok } from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import { loadOrCreateIdentity, publicIdentity } from '#link/identity.ts'
import { isProvenStatement, proveStatement, readJoinToken } from '#link/join-token.ts'
import { joinHost } from '#manager/hosts/join.ts'
import { revokeJoinToken } from '#manager/hosts/join-tokens.ts'
import { tendHosts } from '#manager/hosts/tend-hosts.ts'
import { type TestServer, testServer } from './test-server.ts'

let manager: TestServer
let callers = 0
before(async () => {
  manager = await testServer({ hosts: [] })
})
after(() => manager.close())

test('R76 a host with a join token is pinned, and learns from the proven answer whom to pin', async () => {
  const { id, token, state, manager_url: url } = await made()
  equal(state, 'open')
  equal(url, manager.parts.config.publicUrl)
  const { answer, text, secret } = await asks(token, { name: 'box' })
  equal(answer.statusCode, 200)
  const { statement, proof } = answer.json()
  ok(isProvenStatement(secret, { by: 'manager', tokenId: id, text: statement, answers: text }, proof))
  deepEqual(JSON.parse(statement), { host: 'box', manager: manager.parts.identity() })
  equal(readJoinToken(token).managerKeyId, manager.parts.identity().keyId)
  const [host] = (await manager.ask('GET', '/api/v1/hosts')).json().items
  deepEqual([host.name, host.role, host.address], ['box', 'worker', '10.0.0.7:7443'])
  const [shown] = (await manager.ask('GET', '/api/v1/join-tokens')).json().items
  deepEqual([shown.state, shown.used_by, 'token' in shown], ['used', 'box', false])
  doesNotMatch(
    JSON.stringify(await manager.parts.db.selectFrom('join_tokens').selectAll().execute()),
    new RegExp(secret.toString('base64url')),
  )
})

test('a join token is good for one host, and for that one again when the answer was lost', async () => {
  const { token } = await made()
  const first = await asks(token, { name: 'once' })
  equal(first.answer.statusCode, 200)
  const again = await post(first.body)
  equal(again.statusCode, 200)
  deepEqual(again.json(), first.answer.json())
  const other = await asks(token, { name: 'other' })
  equal(other.answer.statusCode, 403)
  match(other.answer.json().detail, /was used by "once"/)
  const [shown] = (await manager.ask('GET', '/api/v1/hosts')).json().items.slice(-1)
  equal(shown.name, 'once')
})

test('of hosts that come with one token at the same time exactly one joins, whichever it is', async () => {
  const { token } = await made()
  const names = ['left', 'middle', 'right']
  const asked = await Promise.all(names.map(name => asks(token, { name })))
  deepEqual(asked.map(({ answer }) => answer.statusCode).sort(), [200, 403, 403])
  const won = names[asked.findIndex(({ answer }) => answer.statusCode === 200)]
  const { items } = (await manager.ask('GET', '/api/v1/hosts')).json()
  const joined = items
    .map(({ name }: { name: string }) => name)
    .filter((name: string) => names.includes(name))
  deepEqual(joined, [won])
})

test('a wrong proof enrols nobody, and the third one ends the token also for who has the secret', async () => {
  const { token } = await made()
  for (let tries = 0; tries < 3; tries++) {
    const wrong = await asks(token, { name: 'guess', secret: randomBytes(20) })
    equal(wrong.answer.json().code, 'JOIN_REFUSED')
  }
  equal((await asks(token, { name: 'guess' })).answer.json().code, 'JOIN_REFUSED')
  equal(
    (await asks('FLD1.AAAAAAAA.'.padEnd(41, 'A') + token.slice(41), { name: 'guess' })).answer.statusCode,
    403,
  )
})

test('a token says for whom it is: role, name, network, time', async () => {
  const worker = await made({ name: 'alpha' })
  match((await asks(worker.token, { name: 'beta' })).answer.json().detail, /is for "alpha", but "beta" asks/)
  equal((await asks(worker.token, { name: 'alpha' })).answer.statusCode, 200)
  const guardian = await made({ role: 'guardian' })
  match(
    (await asks(guardian.token, { name: 'gamma' })).answer.json().detail,
    /is for a guardian, but a worker asks/,
  )
  const near = await made({ from: ['192.0.2.0/24'] })
  match((await asks(near.token, { name: 'delta' })).answer.json().detail, /is for 192\.0\.2\.0\/24/)
  const late = await made()
  await manager.parts.db.updateTable('join_tokens').set({ expires_at: 1 }).where('id', '=', late.id).execute()
  match((await asks(late.token, { name: 'delta' })).answer.json().detail, /has expired/)
  const revoked = await made()
  equal((await manager.ask('DELETE', `/api/v1/join-tokens/${revoked.id}`)).statusCode, 204)
  match((await asks(revoked.token, { name: 'delta' })).answer.json().detail, /was revoked/)
  equal((await manager.ask('DELETE', `/api/v1/join-tokens/${revoked.id}`)).statusCode, 404)
  equal((await manager.ask('POST', '/api/v1/join-tokens', { from: ['10.0.0.0/99'] })).statusCode, 422)
})

test('a token that is revoked while a host joins with it lets nobody in', async () => {
  const { id, token } = await made()
  const body = joining(token, { name: 'raced' })
  const revoking: Promise<unknown>[] = []
  // It is asked for the time after the token was read.
  const now = () => {
    if (revoking.length === 0) {
      revoking.push(revokeJoinToken(manager.parts, id))
    }
    return manager.parts.clock.now()
  }
  const clock = { ...manager.parts.clock, now }
  const [joined] = await Promise.allSettled([
    joinHost({ ...manager.parts, clock }, { body, address: '10.0.0.7' }),
  ])
  const [revoked] = await Promise.allSettled(revoking)
  deepEqual(
    [joined?.status, revoked?.status].toSorted(),
    ['fulfilled', 'rejected'],
    'one of both was in time',
  )
  equal((await address('raced')) === undefined, revoked?.status === 'fulfilled')
  match(joined?.status === 'rejected' ? String(joined.reason) : 'was revoked', /was revoked/)
})

test('a copied machine with the key of another one is refused, with the way out', async () => {
  const original = await asks((await made()).token, { name: 'original' })
  equal(original.answer.statusCode, 200)
  await manager.parts.db
    .updateTable('hosts')
    .set({ connected_at: 1 })
    .where('name', '=', 'original')
    .execute()
  const copy = await asks((await made()).token, { name: 'original', address: '10.0.0.9:7443' })
  equal(copy.answer.json().code, 'HOST_KEY_EXISTS')
  match(copy.answer.json().hint, /remove identity\.json and tls\.json/)
  equal((await address('original'))?.address, '10.0.0.7:7443')
})

test('an enrolment that broke off before the host was reached is repeated with another token', async () => {
  await asks((await made()).token, { name: 'half' })
  const again = await asks((await made()).token, { name: 'half', address: '10.0.0.8:7443' })
  equal(again.answer.statusCode, 200)
  equal((await address('half'))?.address, '10.0.0.8:7443')
})

test('a revoked key stays revoked, whatever token comes with it', async () => {
  await asks((await made()).token, { name: 'stolen' })
  equal((await manager.ask('DELETE', '/api/v1/hosts/stolen?revoke=true')).statusCode, 204)
  const back = await asks((await made()).token, { name: 'stolen' })
  equal(back.answer.json().code, 'HOST_KEY_REVOKED')
  const byHand = { address: '10.0.0.7:7443', identity: identityOf('stolen') }
  equal((await manager.ask('POST', '/api/v1/hosts', byHand)).json().code, 'HOST_KEY_REVOKED')
})

test('R76 the place of a host that was shut out is given to one whose token names it, and to nobody who only says so', async () => {
  await asks((await made()).token, { name: 'lost' })
  const { db } = manager.parts
  // As one that something runs on: it stays in the list.
  await db
    .updateTable('hosts')
    .set({ revoked_at: 7, identity: '{"keyId":"0"}' })
    .where('name', '=', 'lost')
    .execute()
  const secret = await manager.ask('PUT', '/api/v1/hosts/lost/secrets/KEY', { value: 'kept' })
  equal(secret.statusCode, 200, secret.body)
  equal((await asks((await made()).token, { name: 'lost' })).answer.json().code, 'HOST_EXISTS')
  equal((await asks((await made({ name: 'lost' })).token, { name: 'lost' })).answer.statusCode, 200)
  const { items } = (await manager.ask('GET', '/api/v1/hosts/lost/secrets')).json()
  equal(items.length, 1, 'apps that are deployed there again find what they need')
  const row = await db.selectFrom('hosts').selectAll().where('name', '=', 'lost').executeTakeFirst()
  deepEqual([row?.revoked_at, row?.connected_at, row?.address], [null, null, '10.0.0.7:7443'])
})

test('a host that joined and was never reached is forgotten after a day, one that was reached is not', async () => {
  await asks((await made()).token, { name: 'never' })
  await asks((await made()).token, { name: 'reached' })
  const { db } = manager.parts
  await db.updateTable('hosts').set({ joined_at: 1 }).where('name', 'in', ['never', 'reached']).execute()
  await db.updateTable('hosts').set({ connected_at: 1 }).where('name', '=', 'reached').execute()
  await tendHosts(manager.parts)
  deepEqual([await address('never'), (await address('reached'))?.address], [undefined, '10.0.0.7:7443'])
})

test('five tries to join in a minute are enough for one address', async () => {
  const answers = []
  for (let tries = 0; tries < 7; tries++) {
    answers.push(
      (await post({ token: 'AAAAAAAA', statement: '{}', proof: 'A'.repeat(43) }, '198.51.100.7')).statusCode,
    )
  }
  deepEqual(answers, [403, 403, 403, 403, 403, 429, 429])
})

async function made(wanted: object = {}) {
  const answer = await manager.ask('POST', '/api/v1/join-tokens', wanted)
  equal(answer.statusCode, 201, answer.body)
  return answer.json()
}

interface Asking {
  readonly name: string
  readonly address?: string
  readonly secret?: Buffer
}

async function asks(token: string, asking: Asking) {
  const body = joining(token, asking)
  return { answer: await post(body), body, text: body.statement, secret: readJoinToken(token).secret }
}

function joining(token: string, { name, address: place = '10.0.0.7:7443', secret: other }: Asking) {
  const { id, secret } = readJoinToken(token)
  const nonce = randomBytes(16).toString('base64url')
  const statement = JSON.stringify({ nonce, address: place, identity: identityOf(name) })
  const proof = proveStatement(other ?? secret, { by: 'host', tokenId: id, text: statement, answers: '' })
  return { token: id, statement, proof }
}

/** Each from an address of its own, for the limit. */
async function post(body: object, from?: string) {
  callers += 1
  return await manager.server.inject({
    method: 'POST',
    url: '/api/v1/join',
    payload: body,
    remoteAddress: from ?? `10.1.0.${callers}`,
  })
}

async function address(name: string) {
  return await manager.parts.db
    .selectFrom('hosts')
    .select('address')
    .where('name', '=', name)
    .executeTakeFirst()
}

function identityOf(name: string) {
  const folder = join(manager.folder, 'hosts', name)
  return publicIdentity(loadOrCreateIdentity({ folder, clock: systemClock, name, role: 'worker' }))
}

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { compare } from 'bcryptjs'
import { selfSignedCertificate } from '#cli/demo/certificate.ts'
import { registryInUse } from '#manager/registry/registry-in-use.ts'
import { ownSecrets } from '#manager/secrets/queries.ts'
import { REGISTRY_SECRETS } from '#targets/registry-settings.ts'
import { type TestServer, testServer } from './test-server.ts'

const HASH = `$2b$05$${'a'.repeat(53)}`
let manager: TestServer
before(async () => {
  manager = await testServer()
})
after(() => manager.close())

test('a registry needs a name, a certificate for it, its key and a password', async () => {
  const none = await manager.ask('PUT', '/api/v1/registry', { name: 'registry.example.org' })
  assert.deepEqual([none.statusCode, none.json().code], [422, 'REGISTRY_INCOMPLETE'])
  const made = await selfSignedCertificate(['other.example.org'])
  const wrong = await manager.ask('PUT', '/api/v1/registry', wish({ ...made }))
  assert.deepEqual([wrong.statusCode, wrong.json().code], [422, 'CERTIFICATE_UNFIT'])
  const { certificate } = await selfSignedCertificate(['registry.example.org'])
  const mixed = await manager.ask('PUT', '/api/v1/registry', wish({ certificate, key: made.key }))
  assert.match(mixed.json().detail, /the key is another one/)
  assert.equal((await manager.ask('GET', '/api/v1/apps')).json().items.length, 0)
})

test('a registry is an app, counts only once it is released, and shows neither its password nor its key', async () => {
  const made = await selfSignedCertificate(['registry.example.org'])
  const answer = await manager.ask('PUT', '/api/v1/registry', wish(made))
  assert.equal(answer.statusCode, 202, answer.body)
  assert.equal(answer.json().deployment.app, 'registry')
  assert.equal(manager.recorded.woken, 1)
  const shown = (await manager.ask('GET', '/api/v1/registry')).json()
  assert.deepEqual([shown.configured_by, shown.app.host], [null, 'local'])
  assert.equal(await registryInUse(manager.parts), undefined)
  for (const path of ['/api/v1/registry', '/api/v1/apps/registry', '/api/v1/apps/registry/secrets']) {
    const { body } = await manager.ask('GET', path)
    assert.doesNotMatch(body, /a-password-of-the-test|PRIVATE KEY|\$2b\$/, path)
  }
})

test('a password of a form is hashed here, as the registry reads it', async () => {
  const password = 'a-password-of-the-test'
  const answer = await manager.ask('PUT', '/api/v1/registry', { password })
  assert.equal(answer.statusCode, 202, answer.body)
  const { id } = (await manager.ask('GET', '/api/v1/apps/registry')).json()
  const { values } = await ownSecrets(manager.parts, id)
  const [name, hash = ''] = (values[REGISTRY_SECRETS.accounts] ?? '').trim().split(':')
  assert.equal(name, 'fairlead')
  assert.equal(await compare(password, hash), true)
})

test('what is not given again stays: another port keeps certificate and password', async () => {
  const { statusCode } = await manager.ask('PUT', '/api/v1/registry', { port: 5443 })
  assert.equal(statusCode, 202)
  const { overrides } = (await manager.ask('GET', '/api/v1/apps/registry')).json()
  assert.deepEqual([overrides.port, overrides.name], [5443, 'registry.example.org'])
})

test('R93 a registry that has begun is not given another host or app, where its images are not: it is told what to do instead', async () => {
  const { db } = manager.parts
  const { id } = await db
    .selectFrom('apps')
    .select('id')
    .where('name', '=', 'registry')
    .executeTakeFirstOrThrow()
  const host = await db.selectFrom('hosts').selectAll().executeTakeFirstOrThrow()
  await db
    .insertInto('hosts')
    .values({ ...host, name: 'other' })
    .execute()
  await db.updateTable('deployments').set({ started_at: 1 }).where('app_id', '=', id).execute()
  for (const elsewhere of [{ host: 'other' }, { app: 'images' }]) {
    const refused = await manager.ask('PUT', '/api/v1/registry', elsewhere)
    assert.deepEqual([refused.statusCode, refused.json().code], [409, 'REGISTRY_STAYS'])
    assert.match(refused.json().hint, /registry down/)
  }
  assert.equal((await manager.ask('GET', '/api/v1/registry')).json().app.host, 'local')
  const same = await manager.ask('PUT', '/api/v1/registry', { host: 'local', app: 'registry' })
  assert.equal(same.statusCode, 202)
})

test('without a registry there is nothing to trust', async () => {
  const answer = await manager.ask('POST', '/api/v1/registry/trust', {})
  assert.deepEqual([answer.statusCode, answer.json().code], [404, 'NO_REGISTRY'])
})

function wish(given: { certificate: string; key: string }) {
  const account = { password: 'a-password-of-the-test', password_hash: HASH }
  return { name: 'registry.example.org', ...account, certificate: given.certificate, key: given.key }
}

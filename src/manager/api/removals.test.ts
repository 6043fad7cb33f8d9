import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { testServer } from './test-server.ts'

const manager = await testServer({ environment: { FAIRLEAD_GIT_HOSTS: 'git.example.org' } })
after(() => manager.close())
const { db } = manager.parts
const ask = async (method: 'GET' | 'POST' | 'PATCH', path: string, body?: unknown) =>
  await manager.ask(method, `/api/v1/repositories${path}`, body)
const moved = async () =>
  (await db.selectFrom('repositories').select('moved').where('name', '=', 'infra').executeTakeFirstOrThrow())
    .moved

test('R54 removals that wait are listed, and agreeing to them asks for a look at the files', async () => {
  await ask('POST', '', { name: 'infra', url: 'https://git.example.org/infra.git' })
  const { id } = (await manager.ask('POST', '/api/v1/apps', { name: 'shop', repository: 'infra' })).json()
  assert.deepEqual((await ask('GET', '/infra/removals')).json(), { items: [] })
  await db
    .insertInto('held_removals')
    .values({ app_id: id, why: 'many', tip: 'a'.repeat(40), created_at: 1 })
    .execute()
  const [item] = (await ask('GET', '/infra/removals')).json().items
  assert.deepEqual([item.app, item.why, item.allowed_by], ['shop', 'many', null])
  const wrong = await ask('POST', '/infra/removals', { apps: ['other'] })
  assert.deepEqual([wrong.statusCode, wrong.json().code], [409, 'REMOVAL_NOT_HELD'])
  const agreed = await ask('POST', '/infra/removals', { apps: ['shop'] })
  assert.equal(agreed.statusCode, 202, agreed.body)
  assert.equal(typeof agreed.json().items[0].allowed_by, 'string')
  const { kind, state } = await db
    .selectFrom('deployments')
    .selectAll()
    .where('app_id', '=', id)
    .executeTakeFirstOrThrow()
  assert.deepEqual([kind, state], ['deploy', 'queued'])
  assert.equal((await ask('POST', '/infra/removals', { apps: ['shop'] })).statusCode, 409)
})

test('R54 another branch or address is another place, and the same one with another credential is not', async () => {
  await ask('PATCH', '/infra', { branch: 'main', poll_seconds: 60 })
  assert.equal(await moved(), 0)
  await ask('PATCH', '/infra', { branch: 'live' })
  assert.equal(await moved(), 1)
  await db.updateTable('repositories').set({ moved: 0 }).execute()
  await ask('PATCH', '/infra', { url: 'https://git.example.org/other.git' })
  assert.equal(await moved(), 1)
})

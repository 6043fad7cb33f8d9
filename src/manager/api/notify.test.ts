import { deepEqual, equal, match } from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { seedApp, type TestServer, testServer } from './test-server.ts'

const SECRET = 'seu-token-secreto'
const JSON_BODY = { 'content-type': 'application/json' }
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
let manager: TestServer

before(async () => {
  manager = await testServer({ environment: { AUTH_TOKEN: SECRET } })
  const { db } = manager.parts
  const { repository } = await seedApp(manager, 'churn')
  await seedApp(manager, 'sales')
  await db.updateTable('apps').set({ repository_id: repository }).execute()
  await db.deleteFrom('repositories').where('name', '=', 'sales-repo').execute()
  const texts = { title: 'Sales', notebooks: '[]', language: 'python', tags: '[]', mode: 'lab' }
  await db
    .insertInto('notebooks')
    .values({
      ...{ app: 'sales', repository_id: repository, folder: 'reports/sales', ...texts },
      ...{ status: 'live', seen_commit: '', updated_at: 1 },
    })
    .execute()
})
after(() => manager.close())

async function notify(payload = '', { url = '/notify', token = SECRET, headers = {} } = {}) {
  await manager.parts.db.deleteFrom('deployments').execute()
  const sent = { ...headers, ...(token === '' ? {} : { authorization: `Bearer ${token}` }) }
  const answer = await manager.server.inject({ method: 'POST', url, headers: sent, payload })
  const asked = await manager.parts.db
    .selectFrom('deployments')
    .innerJoin('apps', 'apps.id', 'deployments.app_id')
    .select(['apps.name', 'deployments.id', 'deployments.trigger'])
    .orderBy('apps.name')
    .execute()
  return { answer, asked, apps: asked.map(({ name }) => name) }
}

test('R4 R5 a job with the shared token asks for the project that it names, as JSON or as a form, by slug or folder', async () => {
  const named = await notify('{"project":"churn"}', { headers: JSON_BODY })
  equal(named.answer.statusCode, 202)
  deepEqual(named.answer.json(), {
    repository: 'churn-repo',
    project: 'churn',
    deployments: named.asked.map(({ id }) => id),
  })
  deepEqual(named.apps, ['churn'])
  match(named.asked[0]?.trigger ?? '', /"kind":"webhook","by":"notify","detail":"churn"/)
  deepEqual((await notify('project=reports%2Fsales&ref=main', { headers: FORM })).apps, ['sales'])
  deepEqual((await notify('{"project":"./reports/sales/"}', { headers: FORM })).apps, ['sales'])
})

test('R4 a job that names no project, a new one or something else has all of the repository looked at', async () => {
  for (const body of ['', '{}', '{"project":"new"}', '{"project":{"id":1}}', '[]', 'null']) {
    const { answer, apps } = await notify(body, { headers: JSON_BODY })
    equal(answer.statusCode, 202, body)
    deepEqual(apps, ['churn', 'sales'], body)
  }
})

test('R5 without the token nothing is asked for, and the token opens nothing else', async () => {
  for (const [token, code] of [
    ['', 'TOKEN_MISSING'],
    ['seu-token-secret', 'TOKEN_UNKNOWN'],
    [manager.token, 'TOKEN_UNKNOWN'],
  ] as const) {
    const { answer, apps } = await notify('{"project":"churn"}', { token, headers: JSON_BODY })
    equal(answer.statusCode, 401)
    equal(answer.json().code, code)
    deepEqual(apps, [])
  }
  const headers = { authorization: `Bearer ${SECRET}` }
  equal((await manager.server.inject({ method: 'GET', url: '/api/v1/apps', headers })).statusCode, 401)
  const query = await manager.server.inject({ method: 'POST', url: `/notify?token=${SECRET}` })
  equal(query.statusCode, 401)
})

test('what a job says wrongly is refused', async () => {
  const broken = await notify('{"project":', { headers: JSON_BODY })
  equal(broken.answer.statusCode, 400)
  equal((await notify('', { url: '/notify/nothing' })).answer.statusCode, 404)
  const long = await notify(JSON.stringify({ project: 'x'.repeat(301) }), { headers: JSON_BODY })
  equal(long.answer.statusCode, 400)
})

test('R4 with several repositories the address says which one', async () => {
  await seedApp(manager, 'shop')
  const several = await notify()
  equal(several.answer.statusCode, 422)
  equal(several.answer.json().code, 'REPOSITORY_NOT_SAID')
  deepEqual((await notify('', { url: '/notify/shop-repo' })).apps, ['shop'])
})

test('R5 without AUTH_TOKEN there is no such address', async t => {
  const other = await testServer()
  t.after(() => other.close())
  const headers = { authorization: 'Bearer undefined' }
  equal((await other.server.inject({ method: 'POST', url: '/notify', headers })).statusCode, 404)
})

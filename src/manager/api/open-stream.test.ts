import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '#lib/id.ts'
import { addProject, setItem, setMember } from '#manager/people/projects.ts'
import { openSession } from '#manager/people/sessions.ts'
import { seedApp, type TestServer, testServer } from './test-server.ts'

let manager: TestServer
let origin = ''
before(async () => {
  manager = await testServer({
    async answer(_, __, { signal }) {
      await new Promise(resolve => signal?.addEventListener('abort', resolve))
    },
  })
  await seedApp(manager, 'shop')
  await addProject(manager.parts, 'team')
  await setItem(manager.parts.db, 'team', { kind: 'app', name: 'shop' })
  origin = await manager.server.listen({ host: '127.0.0.1', port: 0 })
})
after(() => manager.close())

const LOGS = '/api/v1/apps/shop/logs'
const EVENTS = '/api/v1/events'

for (const [what, url, role, end] of [
  ['whose person is locked', EVENTS, 'viewer', id => change(id, { disabled_at: 1 })],
  [
    'whose session has ended',
    LOGS,
    'viewer',
    id => db().deleteFrom('sessions').where('person_id', '=', id).execute(),
  ],
  ['whose person may do less', EVENTS, 'viewer', id => change(id, { role: null })],
  [
    'whose person left the project',
    LOGS,
    null,
    id => setMember(db(), 'team', { email: `${id}@example.org`, role: null }),
  ],
] as [string, string, 'viewer' | null, (id: string) => Promise<unknown>][]) {
  test(`A02 a stream ends ${what}`, async () => {
    const id = newId()
    const email = `${id}@example.org`
    await db().insertInto('people').values({ id, name: id, email, role, created_at: 1 }).execute()
    await setMember(db(), 'team', { email, role: 'viewer' })
    const session = { personId: id, awaitsFactor: false, address: '', program: '' }
    const { value } = await openSession(manager.parts, session)
    const answer = await fetch(`${origin}${url}`, { headers: { cookie: `__Host-fairlead=${value}` } })
    assert.equal(answer.status, 200)
    await end(id)
    await answer.text()
  })
}

test('A02 a stream ends whose token is deleted', async () => {
  const body = { name: 'machine', machine: { role: 'viewer' } }
  const { token } = (await manager.ask('POST', '/api/v1/tokens', body)).json()
  const headers = { authorization: `Bearer ${token}` }
  const answer = await fetch(`${origin}${EVENTS}`, { headers })
  assert.equal(answer.status, 200)
  await db().deleteFrom('tokens').where('name', '=', 'machine').execute()
  await answer.text()
})

function db() {
  return manager.parts.db
}

async function change(id: string, to: { disabled_at: number } | { role: null }) {
  await db().updateTable('people').set(to).where('id', '=', id).execute()
}

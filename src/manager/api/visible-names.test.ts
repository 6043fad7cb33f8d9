import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '#lib/id.ts'
import { keepPast } from '#manager/deployments/past.ts'
import { addProject, setItem, setMember } from '#manager/people/projects.ts'
import { openSession } from '#manager/people/sessions.ts'
import { seedApp, type TestServer, testServer } from './test-server.ts'

let manager: TestServer
let cookie = ''
before(async () => {
  manager = await testServer()
  const { db } = manager.parts
  for (const app of ['acquisition', 'mine', 'zebra']) {
    await seedApp(manager, app)
  }
  await addProject(manager.parts, 'team')
  await setItem(db, 'team', { kind: 'repository', name: 'mine-repo' })
  const person = { id: newId(), name: 'Eve', email: 'eve@example.org', role: null, created_at: 1 }
  await db.insertInto('people').values(person).execute()
  await setMember(db, 'team', { email: person.email, role: 'maintainer' })
  const session = { personId: person.id, awaitsFactor: false, address: '', program: '' }
  cookie = `__Host-fairlead=${(await openSession(manager.parts, session)).value}`
})
after(() => manager.close())

for (const [list, own] of [
  ['apps', 'mine'],
  ['repositories', 'mine-repo'],
] as const) {
  test(`A02 no page of /api/v1/${list} tells of what a member of another project does not see`, async () => {
    const first = await read(`/api/v1/${list}?limit=1`)
    assert.deepEqual([first.items.map(({ name }) => name), first.next], [[own], null])
    // Nor whether there is more behind a name that is guessed.
    for (const query of ['limit=1&cursor=a', 'limit=1&cursor=acquisition', 'limit=1&cursor=n']) {
      assert.equal((await read(`/api/v1/${list}?${query}`)).next, null, query)
    }
  })
}

test('A02 who takes the name of an app that is gone gets neither its past nor its artefacts', async () => {
  const { db } = manager.parts
  const gone = await seedApp(manager, 'pay')
  const [deployment, artifact] = [newId(), newId()]
  const row = { id: deployment, app_id: gone.app, kind: 'deploy', state: 'succeeded' } as const
  await db
    .insertInto('deployments')
    .values({ ...row, trigger: '{"kind":"api"}', cancel_requested: 0, created_at: 1 })
    .execute()
  await db
    .insertInto('artifacts')
    .values({
      ...{ id: artifact, app: 'pay', repository_id: gone.repository, deployment_id: deployment },
      ...{ service_name: 'pay', version: '1', image: 'pay:1', image_id: null, references: '{}' },
      ...{ bytes: null, commit: 'a', created_at: 1 },
    })
    .execute()
  await keepPast(db, { id: gone.app, name: 'pay' }, 2)
  await db.deleteFrom('apps').where('id', '=', gone.app).execute()
  const of = (app: string) =>
    Promise.all(['deployments', 'artifacts'].map(list => read(`/api/v1/${list}?app=${app}`)))

  const mine = await db
    .selectFrom('repositories')
    .select('id')
    .where('name', '=', 'mine-repo')
    .executeTakeFirst()
  const again = { entry: 'pay', target: 'container', overrides: '{}', host: 'local', version: 1 }
  const taken = {
    ...again,
    id: newId(),
    name: 'pay',
    repository_id: mine?.id ?? '',
    created_at: 1,
    updated_at: 1,
  }
  await db.insertInto('apps').values(taken).execute()
  assert.deepEqual(
    (await of('pay')).map(({ items }) => items),
    [[], []],
  )
  for (const path of [`deployments/${deployment}`, `artifacts/${artifact}`, `artifacts/${artifact}/sbom`]) {
    const answer = await manager.server.inject({ url: `/api/v1/${path}`, headers: { cookie } })
    assert.equal(answer.statusCode, 404, path)
  }
  // Its own repository made it: then it is its past.
  await db.updateTable('apps').set({ repository_id: gone.repository }).where('id', '=', taken.id).execute()
  await setItem(db, 'team', { kind: 'repository', name: 'pay-repo' })
  assert.deepEqual(
    (await of('pay')).map(({ items }) => items.length),
    [1, 1],
  )
})

async function read(url: string): Promise<{ items: { name: string }[]; next: string | null }> {
  return (await manager.server.inject({ url, headers: { cookie } })).json()
}

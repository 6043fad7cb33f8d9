import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '#lib/id.ts'
import { addProject, setItem } from '#manager/people/projects.ts'
import { seedApp, type TestServer, testServer } from './test-server.ts'

let manager: TestServer
let ids = { repository: '', app: '' }
before(async () => {
  manager = await testServer()
  ids = await seedApp(manager, 'shop')
})
after(() => manager.close())

test('an app is created, listed, read, changed and shown with its version', async () => {
  const created = await manager.ask('POST', '/api/v1/apps', { name: 'blog', repository: 'shop-repo' })
  assert.equal(created.statusCode, 201)
  assert.equal(created.headers.etag, '"1"')
  assert.equal(created.headers.location, '/api/v1/apps/blog')
  assert.deepEqual(
    pick(created.json(), ['name', 'entry', 'target', 'host', 'repository', 'deployment', 'release']),
    {
      name: 'blog',
      entry: 'blog',
      target: 'auto',
      host: 'local',
      repository: 'shop-repo',
      deployment: null,
      release: null,
    },
  )
  assert.equal(created.json().approval, 'by-deploy-file')
  const change = { overrides: { memory: '1g' }, approval: 'required' }
  const changed = await manager.ask('PATCH', '/api/v1/apps/blog', change)
  assert.equal(changed.statusCode, 200)
  assert.deepEqual(changed.json().overrides, { memory: '1g' })
  assert.equal(changed.json().approval, 'required')
  assert.equal(changed.json().version, 2)
  const read = await manager.ask('GET', '/api/v1/apps/blog')
  assert.deepEqual(read.json(), changed.json())
})

test('A02 only an admin makes an app on another host than that of its repository', async () => {
  const machine = { role: 'maintainer' }
  const { token } = (await manager.ask('POST', '/api/v1/tokens', { name: 'm', machine })).json()
  const headers = { authorization: `Bearer ${token}` }
  const make = async (host: string, more: Record<string, string> = {}) => {
    const body = { name: `on-${host}`, repository: 'shop-repo', host }
    const answer = await manager.ask('POST', '/api/v1/apps', body, more)
    return [answer.statusCode, answer.json().code]
  }
  assert.deepEqual(await make('prod', headers), [403, 'HOST_OF_OTHERS'])
  assert.deepEqual(await make('prod'), [422, 'HOST_UNKNOWN'])
  assert.deepEqual(await make('local', headers), [201, undefined])
  assert.equal((await manager.ask('DELETE', '/api/v1/apps/on-local')).statusCode, 204)
})

for (const name of [
  '../x',
  '.',
  '-rf',
  'a/b',
  'a\0b',
  'a\nb',
  'é',
  'mеdia',
  'ａ',
  '\u202eabc',
  'a'.repeat(64),
  '',
  'toString',
  '__proto__',
  'a_b',
  'a-',
]) {
  test(`A04 A05 an app may not be called ${JSON.stringify(name)}, and the answer says what may`, async () => {
    const answer = await manager.ask('POST', '/api/v1/apps', { name, repository: 'shop-repo' })
    assert.equal(answer.statusCode, 422)
    assert.equal(answer.json().problems[0].path, 'name')
    assert.match(answer.json().problems[0].message, /\^\[a-z0-9\]/)
  })
}

for (const name of ['constructor', 'con', 'nul', 'a', '0', 'a'.repeat(40)]) {
  test(`A05 an app may be called ${name}`, async () => {
    const answer = await manager.ask('POST', '/api/v1/apps', { name, repository: 'shop-repo' })
    assert.equal(answer.statusCode, 201)
    assert.equal((await manager.ask('GET', `/api/v1/apps/${name}`)).json().name, name)
    assert.equal((await manager.ask('DELETE', `/api/v1/apps/${name}`)).statusCode, 204)
  })
}

test('an app is handed over to somebody with an account, wherever it belongs, and to nobody', async () => {
  const { db, clock } = manager.parts
  const grace = { id: newId(), name: 'Grace', email: 'grace@example.org', role: null, created_at: 1 }
  await db.insertInto('people').values(grace).execute()
  const give = async (owner: string | null) =>
    (await manager.ask('PUT', '/api/v1/apps/shop/owner', { owner })).json()
  assert.deepEqual(pick(await give(grace.email), ['owner', 'project']), { owner: grace.email, project: null })
  assert.equal((await give('stranger@example.org')).status, 404)
  await addProject({ db, clock }, 'team')
  await setItem(db, 'team', { kind: 'app', name: 'shop' })
  const { items } = (await manager.ask('GET', '/api/v1/apps?limit=200')).json()
  const shop = items.find(({ name }: { name: string }) => name === 'shop')
  assert.deepEqual([shop.owner, shop.project], [grace.email, 'team'])
  assert.deepEqual(pick(await give(null), ['owner', 'project']), { owner: null, project: 'team' })
})

test('names are taken once, and repository and host must exist', async () => {
  const create = (body: object) =>
    manager.ask('POST', '/api/v1/apps', { name: 'one', repository: 'shop-repo', ...body })
  assert.equal((await create({ name: 'shop' })).json().code, 'APP_EXISTS')
  assert.equal((await create({ repository: 'none' })).json().code, 'REPOSITORY_UNKNOWN')
  assert.equal((await create({ host: 'none' })).json().code, 'HOST_UNKNOWN')
  assert.equal((await create({ colour: 'red' })).json().code, 'BAD_INPUT')
})

test('what is done about drift is set and taken back without a loss of other overrides', async () => {
  const set = async (change: object) => (await manager.ask('PATCH', '/api/v1/apps/blog', change)).json()
  await set({ overrides: { memory: '1g' } })
  const changed = await set({ drift: 'repair' })
  assert.deepEqual(changed.overrides, { memory: '1g', drift: 'repair' })
  assert.deepEqual(changed.drift, { state: 'none', policy: 'repair', since: null, findings: 0, reason: null })
  const back = await set({ drift: 'by-deploy-file' })
  assert.deepEqual([back.overrides, back.drift.policy], [{ memory: '1g' }, 'report'])
})

test('A12 a change on top of an old version is refused', async () => {
  const { etag } = (await manager.ask('GET', '/api/v1/apps/shop')).headers
  const change = (version: string) =>
    manager.ask('PATCH', '/api/v1/apps/shop', { entry: 'web' }, { 'if-match': version })
  assert.equal((await change(String(etag))).statusCode, 200)
  assert.equal((await change(String(etag))).statusCode, 412)
  for (const odd of ['W/"2"', '2', '"x"', '']) {
    assert.equal((await change(odd)).statusCode, 412, odd)
  }
  assert.equal((await change('*')).statusCode, 200)
  const removal = await manager.ask('DELETE', '/api/v1/apps/shop', undefined, { 'if-match': String(etag) })
  assert.equal(removal.statusCode, 412)
})

test('lists go page by page without gap or repetition', async () => {
  for (let count = 0; count < 7; count += 1) {
    await manager.ask('POST', '/api/v1/apps', { name: `page-${count}`, repository: 'shop-repo' })
  }
  const all = (await manager.ask('GET', '/api/v1/apps')).json()
  assert.equal(all.next, null)
  const seen: string[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const query: string = cursor === '' ? 'limit=2' : `limit=2&cursor=${cursor}`
    const page = (await manager.ask('GET', `/api/v1/apps?${query}`)).json()
    seen.push(...page.items.map((app: { name: string }) => app.name))
    cursor = page.next
  }
  assert.deepEqual(
    seen,
    all.items.map((app: { name: string }) => app.name),
  )
  assert.deepEqual((await manager.ask('GET', '/api/v1/apps?repository=none')).json().items, [])
})

test('apps are found by a part of their name, and nothing else can be asked for with it', async () => {
  const found = await manager.ask('GET', '/api/v1/apps?search=ge-1')
  assert.deepEqual(
    found.json().items.map((app: { name: string }) => app.name),
    ['page-1'],
  )
  assert.equal((await manager.ask('GET', '/api/v1/apps?search=nobody')).json().items.length, 0)
  assert.equal((await manager.ask('GET', '/api/v1/apps?search=%25')).statusCode, 422)
})

test('a deployment is requested by the owner of the token, and the queue is woken', async () => {
  const woken = manager.recorded.woken
  const commit = 'c'.repeat(40)
  const answer = await manager.ask('POST', '/api/v1/apps/shop/deploy', { commit })
  assert.equal(answer.statusCode, 202)
  const { state, wanted_commit, trigger } = answer.json()
  assert.deepEqual(
    { state, wanted_commit, trigger },
    { state: 'queued', wanted_commit: commit, trigger: { kind: 'api', by: 'admin' } },
  )
  assert.ok(manager.recorded.woken > woken)
  for (const wrong of ['main', 'C'.repeat(40), 'c'.repeat(39), '--upload-pack=x']) {
    assert.equal((await manager.ask('POST', '/api/v1/apps/shop/deploy', { commit: wrong })).statusCode, 422)
  }
})

test('A10 a second want of the same app waits for the first, the newest wins', async () => {
  const first = (await manager.ask('POST', '/api/v1/apps/shop/deploy', { commit: 'd'.repeat(40) })).json()
  const second = (await manager.ask('POST', '/api/v1/apps/shop/deploy', {})).json()
  const read = await manager.ask('GET', `/api/v1/deployments/${first.id}`)
  assert.equal(read.json().state, 'superseded')
  assert.equal(second.state, 'queued')
})

test('who waits for a deployment gets its end', async () => {
  const { db, events } = manager.parts
  const { woken } = manager.recorded
  const waiting = manager.ask('POST', '/api/v1/apps/shop/deploy', { wait_seconds: 30 })
  while (manager.recorded.woken === woken) {
    await new Promise(setImmediate)
  }
  const [queued] = await db.selectFrom('deployments').select('id').where('state', '=', 'queued').execute()
  await db
    .updateTable('deployments')
    .set({ state: 'succeeded', outcome: 'deployed' })
    .where('state', '=', 'queued')
    .execute()
  events.publish('deployment', { id: queued?.id ?? '', app: 'shop', state: 'succeeded' })
  assert.equal((await waiting).json().state, 'succeeded')
})

test('a rollback goes to the release before, or to the one that is named', async () => {
  const { db } = manager.parts
  assert.equal((await manager.ask('POST', '/api/v1/apps/shop/rollback', {})).json().code, 'RELEASE_NOT_FOUND')
  const releases = [newId(), newId(), newId()].sort()
  for (const id of releases) {
    const row = {
      app_id: ids.app,
      deployment_id: newId(),
      commit: 'e'.repeat(40),
      config_hash: 'h',
      content: '{}',
    }
    await db
      .insertInto('releases')
      .values({ id, ...row, created_at: 5 })
      .execute()
  }
  const listed = (await manager.ask('GET', '/api/v1/apps/shop/releases?limit=2')).json()
  assert.deepEqual(
    listed.items.map((release: { id: string }) => release.id),
    [releases[2], releases[1]],
  )
  const back = await manager.ask('POST', '/api/v1/apps/shop/rollback', {})
  assert.equal(back.json().wanted_release, releases[1])
  const named = await manager.ask('POST', '/api/v1/apps/shop/rollback', { release: releases[0] })
  const asDeploy = await manager.ask('POST', '/api/v1/apps/shop/deploy', { release: releases[0] })
  assert.deepEqual([asDeploy.statusCode, asDeploy.json().id], [202, named.json().id])
  const both = { release: releases[0], commit: 'c'.repeat(40) }
  assert.equal(
    (await manager.ask('POST', '/api/v1/apps/shop/deploy', both)).json().code,
    'COMMIT_AND_RELEASE',
  )
  assert.equal(named.json().wanted_release, releases[0])
  assert.equal(
    (await manager.ask('POST', '/api/v1/apps/shop/rollback', { release: newId() })).statusCode,
    404,
  )
  assert.equal((await manager.ask('GET', '/api/v1/apps/shop')).json().release.id, releases[2])
})

test('R14 secrets are written and listed, never read; they lie sealed in the database', async () => {
  const { db } = manager.parts
  const set = (name: string, value: string) =>
    manager.ask('PUT', `/api/v1/apps/shop/secrets/${name}`, { value })
  assert.equal((await set('TOKEN', 'hunter2-canary')).json().revision, 1)
  assert.equal((await set('TOKEN', 'hunter3-canary')).json().revision, 2)
  assert.equal((await set('../x', 'v')).statusCode, 404)
  const listed = await manager.ask('GET', '/api/v1/apps/shop/secrets')
  assert.deepEqual(Object.keys(listed.json().items[0]), ['name', 'revision', 'updated_at'])
  const row = await db.selectFrom('secrets').selectAll().executeTakeFirstOrThrow()
  assert.equal(manager.parts.sealer.open(row.value_sealed, `secrets/${ids.app}/TOKEN`), 'hunter3-canary')
  assert.doesNotMatch(JSON.stringify([row, listed.body, manager.recorded.logged]), /canary/)
  assert.equal((await manager.ask('DELETE', '/api/v1/apps/shop/secrets/TOKEN')).statusCode, 204)
  assert.equal((await manager.ask('DELETE', '/api/v1/apps/shop/secrets/TOKEN')).statusCode, 404)
})

test('R14 secrets of a repository and of a host are written, listed and removed, and never read', async () => {
  for (const owner of ['repositories/shop-repo', 'hosts/local']) {
    const path = `/api/v1/${owner}/secrets`
    const set = await manager.ask('PUT', `${path}/KEY`, { value: 'hunter4-canary' })
    assert.deepEqual([set.statusCode, set.json().revision], [200, 1], set.body)
    const listed = await manager.ask('GET', path)
    assert.deepEqual(
      listed.json().items.map((each: { name: string }) => each.name),
      ['KEY'],
    )
    assert.doesNotMatch(JSON.stringify([set.body, listed.body, manager.recorded.logged]), /canary/)
    assert.equal((await manager.ask('DELETE', `${path}/KEY`)).statusCode, 204)
    assert.equal((await manager.ask('DELETE', `${path}/KEY`)).json().code, 'SHARED_SECRET_NOT_FOUND')
    assert.equal((await manager.ask('GET', `/api/v1/${owner.split('/')[0]}/nobody/secrets`)).statusCode, 404)
  }
})

test('A11 an app that ran is taken down by a deployment; one on a lost host can be forgotten', async () => {
  const { db } = manager.parts
  await db.updateTable('deployments').set({ started_at: 1 }).execute()
  const removal = await manager.ask('DELETE', '/api/v1/apps/shop?volumes=delete')
  assert.equal(removal.statusCode, 202)
  assert.equal(removal.json().kind, 'remove')
  assert.equal(removal.json().trigger.detail, 'delete-volumes')
  const again = await manager.ask('POST', '/api/v1/apps/shop/deploy', {})
  assert.equal(again.json().code, 'APP_BEING_REMOVED')
  const inState = async (state: 'running' | 'failed') => {
    await db.updateTable('deployments').set({ state }).where('id', '=', removal.json().id).execute()
    return await manager.ask('DELETE', '/api/v1/apps/shop?forget=true')
  }
  assert.equal((await inState('running')).json().code, 'APP_DEPLOYING')
  assert.equal((await inState('failed')).statusCode, 204)
  assert.equal((await manager.ask('GET', '/api/v1/apps/shop')).statusCode, 404)
})

test('logs of a target that has none are refused with a reason', async () => {
  assert.equal((await manager.ask('GET', '/api/v1/apps/blog/logs')).json().code, 'LOGS_NOT_AVAILABLE')
})

function pick(value: Record<string, unknown>, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(keys.map(key => [key, value[key]]))
}

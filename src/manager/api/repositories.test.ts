import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { readRepository } from '#manager/repositories/queries.ts'
import { type TestServer, testServer } from './test-server.ts'

const KEY = '-----BEGIN OPENSSH PRIVATE KEY-----\ncanary-key\n-----END OPENSSH PRIVATE KEY-----\n'
const SERVERS = { FAIRLEAD_GIT_HOSTS: 'git.example.org,evil.example.org,other.example.org,github.com' }

let manager: TestServer
before(async () => {
  manager = await testServer({
    environment: {
      FAIRLEAD_ALLOW_PRIVATE: '10.1.0.0/16',
      FAIRLEAD_GIT_HOSTS: `${SERVERS.FAIRLEAD_GIT_HOSTS},10.1.2.3,10.2.0.1,127.0.0.1`,
    },
  })
})
after(() => manager.close())

test('R18 a repository is added with a credential that never comes back, and looked at at once', async () => {
  const answer = await add({
    name: 'one',
    url: 'git@git.example.org:team/one.git',
    credential: { kind: 'ssh', private_key: KEY, known_hosts: 'git.example.org ssh-ed25519 AAAA' },
  })
  assert.equal(answer.statusCode, 201)
  const { id, credential, branch, host, webhook, url } = answer.json()
  assert.deepEqual(
    { credential, branch, host, webhook },
    { credential: { kind: 'ssh' }, branch: 'main', host: 'local', webhook: null },
  )
  assert.equal(url, 'git@git.example.org:team/one.git')
  assert.ok(manager.recorded.looked.includes(id))
  const row = await manager.parts.db.selectFrom('repositories').selectAll().executeTakeFirstOrThrow()
  const stored = JSON.parse(
    manager.parts.sealer.open(row.credential_sealed ?? '', `repositories/${id}/credential`),
  )
  assert.equal(stored.privateKey, KEY)
  assert.doesNotMatch(JSON.stringify([row, answer.body, manager.recorded.logged]), /canary/)
})

for (const [id, url] of [
  ['G01', 'file:///etc'],
  ['G01', '/srv/x'],
  ['G01', 'ext::sh -c id'],
  ['G01', 'http://git.example.org/x'],
  ['G02', 'https://user:pass@git.example.org/x'],
  ['G03', 'https://127.0.0.1/x'],
  ['G03', 'https://10.2.0.1/x'],
  ['G06', 'https://github.com.evil.tld/o/r'],
  ['G07', 'git@-oProxyCommand=x:y'],
  ['G08', 'https://git.example.org/a\nb'],
] as const) {
  test(`${id} the address ${JSON.stringify(url)} is refused with a hint`, async () => {
    const answer = await add({ name: 'bad', url })
    assert.equal(answer.statusCode, 422)
    assert.ok(answer.json().hint.length > 10)
  })
}

for (const branch of ['--upload-pack=x', '-c', 'a..b', 'x.lock', '@{-1}', 'x'.repeat(300), '']) {
  test(`G10 the branch ${JSON.stringify(branch).slice(0, 20)} is refused`, async () => {
    assert.equal((await add({ name: 'bad', url: 'https://git.example.org/x.git', branch })).statusCode, 422)
  })
}

test('an own private server is allowed where the configuration says so', async () => {
  assert.equal((await add({ name: 'own', url: 'https://10.1.2.3/x.git' })).statusCode, 201)
})

test('a credential must fit the address', async () => {
  const credential = { kind: 'https', username: 'u', password: 'p' }
  assert.equal(
    (await add({ name: 'bad', url: 'git@git.example.org:x', credential })).json().code,
    'CREDENTIAL_MISFIT',
  )
  assert.equal(
    (
      await add({
        name: 'bad',
        url: 'https://git.example.org/x',
        credential: { ...credential, password: 'a\nb' },
      })
    ).statusCode,
    422,
  )
})

test('A12 changes count up the version, keep the credential unless told otherwise, and need the current version', async () => {
  const url = 'https://git.example.org/two.git'
  await add({ name: 'two', url, credential: { kind: 'https', username: 'u', password: 'p' } })
  const change = (body: object, version?: string) =>
    manager.ask(
      'PATCH',
      '/api/v1/repositories/two',
      body,
      version === undefined ? {} : { 'if-match': version },
    )
  const moved = await change({ branch: 'develop', poll_seconds: 60, auto_apps: true }, '"1"')
  assert.equal(moved.statusCode, 200)
  assert.deepEqual(moved.json().credential, { kind: 'https' })
  assert.equal((await change({ branch: 'x' }, '"1"')).statusCode, 412)
  assert.equal((await change({ credential: null })).json().credential, null)
  assert.equal((await change({})).statusCode, 422)
  assert.equal((await change({ poll_seconds: 1 })).statusCode, 422)
  assert.equal((await change({ poll_seconds: 0 })).json().poll_seconds, 0)
})

test('R18 a stored credential stays with the server that it was given for', async () => {
  const url = 'https://git.example.org/team/three.git'
  await add({ name: 'three', url, credential: { kind: 'https', username: 'u', password: 'p' } })
  const change = (body: object) => manager.ask('PATCH', '/api/v1/repositories/three', body)
  for (const elsewhere of [
    'https://evil.example.org/team/three.git',
    'https://git.example.org:8443/team/three.git',
    'ssh://git@git.example.org/team/three.git',
  ]) {
    const refused = await change({ url: elsewhere })
    assert.deepEqual([refused.statusCode, refused.json().code], [422, 'CREDENTIAL_NEEDED'], elsewhere)
  }
  const renamed = await change({ url: 'https://git.example.org/team/renamed.git' })
  assert.deepEqual([renamed.statusCode, renamed.json().credential], [200, { kind: 'https' }])
  const moved = await change({ url: 'https://other.example.org/x.git', credential: null })
  assert.deepEqual([moved.statusCode, moved.json().credential], [200, null])
  assert.equal((await change({ url })).statusCode, 200)
})

test('A02 another repository is not read with the credential of the one that a maintainer has', async () => {
  const url = 'https://git.example.org/team/lent.git'
  const credential = { kind: 'https', username: 'u', password: 'p' }
  await add({ name: 'lent', url, credential })
  const machine = { role: 'maintainer' }
  const { token } = (await manager.ask('POST', '/api/v1/tokens', { name: 'm', machine })).json()
  const authorization = `Bearer ${token}`
  const change = (body: object) => manager.ask('PATCH', '/api/v1/repositories/lent', body, { authorization })
  for (const elsewhere of ['team/payroll', 'team/Lent.git', 'lent']) {
    const refused = await change({ url: `https://git.example.org/${elsewhere}` })
    assert.deepEqual([refused.statusCode, refused.json().code], [422, 'CREDENTIAL_NEEDED'], elsewhere)
  }
  assert.equal((await readRepository(manager.parts.db, 'lent')).url, url)
  const same = await change({ url: 'https://git.example.org/team/lent' })
  assert.deepEqual([same.statusCode, same.json().credential], [200, { kind: 'https' }])
  const open = await change({ url: 'https://git.example.org/team/open.git', credential: null })
  assert.deepEqual([open.statusCode, open.json().credential], [200, null])
})

test('W29 a webhook belongs to the repository of its first delivery until the address becomes that of another one', async () => {
  await add({ name: 'four', url: 'https://git.example.org/team/four.git' })
  await manager.ask('POST', '/api/v1/repositories/four/webhook-secret', { git_host: 'gitea' })
  const { db } = manager.parts
  const { hook } = await readRepository(db, 'four')
  const remoteAfter = async (url: string) => {
    await db
      .updateTable('hooks')
      .set({ remote_id: '7' })
      .where('id', '=', hook?.id ?? '')
      .execute()
    await manager.ask('PATCH', '/api/v1/repositories/four', { url })
    return (await readRepository(db, 'four')).hook?.remote_id
  }
  assert.equal(await remoteAfter('ssh://git@git.example.org/Team/four'), '7')
  assert.equal(await remoteAfter('https://git.example.org/team/other.git'), null)
})

test('R55 messages of commits say nothing until somebody allows it, or where the Git host told that it is private', async () => {
  await add({ name: 'told', url: 'https://git.example.org/told.git' })
  const shown = async () => (await manager.ask('GET', '/api/v1/repositories/told')).json().commit_actions
  assert.equal(await shown(), false)
  await manager.ask('PATCH', '/api/v1/repositories/told', { commit_actions: true })
  assert.equal(await shown(), true)
  await manager.ask('PATCH', '/api/v1/repositories/told', { branch: 'x' })
  assert.equal(await shown(), true)
  await manager.ask('PATCH', '/api/v1/repositories/told', { commit_actions: null })
  assert.equal(await shown(), false)
  const tell = (is_private: number) =>
    manager.parts.db.updateTable('repositories').set({ is_private }).execute()
  await tell(1)
  assert.equal(await shown(), true)
  await tell(0)
  assert.equal(await shown(), false)
  await tell(1)
  await manager.ask('PATCH', '/api/v1/repositories/told', { commit_actions: false })
  assert.equal(await shown(), false)
})

test('R80 a repository whose looks were refused three times is shown as paused, and a check that works resumes it', async () => {
  const worker = await testServer({
    environment: SERVERS,
    answer: () => ({
      commit: 'a'.repeat(40),
      subject: '',
      texts: { Dockerfile: 'FROM x' },
      paths: ['Dockerfile'],
    }),
  })
  const url = 'https://git.example.org/x.git'
  const { id } = (await worker.ask('POST', '/api/v1/repositories', { name: 'gone', url })).json()
  const problem = JSON.stringify({ code: 'X', message: 'gone', hint: 'look', retry: 'never', status: 404 })
  const fails = async (poll_failures: number) => {
    await worker.parts.db.updateTable('repositories').set({ problem, poll_failures }).execute()
    return (await worker.ask('GET', '/api/v1/repositories/gone')).json()
  }
  assert.equal((await fails(2)).paused, false)
  const { paused, problem: shown } = await fails(3)
  assert.deepEqual([paused, shown.message], [true, 'gone'])
  worker.recorded.looked.length = 0
  assert.equal((await worker.ask('POST', '/api/v1/repositories/gone/check')).statusCode, 200)
  assert.deepEqual(worker.recorded.looked, [id])
  await worker.close()
})

test('R65 R68 a repository without any file of Fairlead gives the app of the Compose file that is named with it', async () => {
  const path = 'services/web/compose.yaml'
  const texts: Record<string, string> = {
    [path]: 'services: { web: { image: x, expose: ["8080"] } }',
    'fairlead.yaml': 'is not asked',
  }
  const worker = await testServer({
    environment: SERVERS,
    answer: () => ({
      commit: 'a'.repeat(40),
      subject: '',
      texts,
      paths: ['Dockerfile', ...Object.keys(texts)],
    }),
  })
  const url = 'https://git.example.org/o/web.git'
  const added = await worker.ask('POST', '/api/v1/repositories', { name: 'web', url, compose_path: path })
  assert.equal(added.json().compose_path, path)
  const read = await worker.ask('POST', '/api/v1/repositories/web/check')
  const settings = { files: [path], routes: [{ service: 'web', port: 8080 }] }
  assert.deepEqual(read.json().apps, [{ name: 'web', target: 'compose', settings }])
  assert.match(JSON.stringify(worker.recorded.told.at(-1)?.params), new RegExp(`"${path}"`))
  delete texts[path]
  const missing = await worker.ask('POST', '/api/v1/repositories/web/check')
  assert.deepEqual([missing.statusCode, missing.json().code], [422, 'COMPOSE_PATH_NOT_FOUND'])
  const normal = await worker.ask('PATCH', '/api/v1/repositories/web', { compose_path: null })
  assert.equal(normal.json().compose_path, null)
  await worker.close()
})

for (const path of [
  '../x.yaml',
  '/etc/x.yaml',
  'a/.git/x.yaml',
  'a\\x.yaml',
  '**/x.yaml',
  'a//x.yml',
  'Makefile',
]) {
  test(`R68 the Compose path ${path} is refused when it is given`, async () => {
    const url = 'https://git.example.org/x.git'
    assert.equal((await add({ name: 'bad', url, compose_path: path })).statusCode, 422)
    const change = await manager.ask('PATCH', '/api/v1/repositories/one', { compose_path: path })
    assert.equal(change.statusCode, 422)
  })
}

test('a repository goes when no app is left', async () => {
  await add({ name: 'three', url: 'https://git.example.org/three.git' })
  await manager.ask('POST', '/api/v1/apps', { name: 'user', repository: 'three' })
  const refused = await manager.ask('DELETE', '/api/v1/repositories/three')
  assert.equal(refused.statusCode, 409)
  assert.match(refused.json().detail, /user/)
  await manager.ask('DELETE', '/api/v1/apps/user')
  assert.equal((await manager.ask('DELETE', '/api/v1/repositories/three')).statusCode, 204)
  assert.equal((await manager.ask('GET', '/api/v1/repositories/three')).statusCode, 404)
})

test('a webhook secret is shown once, and its host is guessed from the address', async () => {
  await add({ name: 'hub', url: 'https://github.com/o/r.git' })
  const rotate = (name: string, body: object = {}) =>
    manager.ask('POST', `/api/v1/repositories/${name}/webhook-secret`, body)
  const first = (await rotate('hub')).json()
  assert.equal(first.git_host, 'github')
  assert.ok(Buffer.from(first.secret, 'base64url').length >= 32)
  assert.match(first.url, /^http:\/\/127\.0\.0\.1:0\/hooks\/[A-Za-z0-9_-]{22}$/)
  const second = (await rotate('hub')).json()
  assert.equal(second.url, first.url)
  assert.notEqual(second.secret, first.secret)
  assert.ok(second.previous_until)
  assert.equal((await rotate('hub', { keep_previous_seconds: 0 })).json().previous_until, null)
  assert.equal((await rotate('two')).json().git_host, 'hmac')
  assert.equal((await rotate('two', { git_host: 'none' })).json().code, 'GIT_HOST_UNKNOWN')
  const read = await manager.ask('GET', '/api/v1/repositories/hub')
  assert.doesNotMatch(read.body, new RegExp(`${first.secret}|${second.secret}`))
})

test('a worker has to be named when there are several, and none can be none', async () => {
  const url = 'https://git.example.org/x.git'
  const [several, nobody] = await Promise.all([
    testServer({ environment: SERVERS, hosts: ['one', 'two'] }),
    testServer({ environment: SERVERS, hosts: [] }),
  ])
  const answer = await several.ask('POST', '/api/v1/repositories', { name: 'x', url })
  assert.match(answer.json().detail, /one, two/)
  assert.equal(
    (await several.ask('POST', '/api/v1/repositories', { name: 'x', url, host: 'two' })).statusCode,
    201,
  )
  assert.equal(
    (await nobody.ask('POST', '/api/v1/repositories', { name: 'x', url })).json().code,
    'HOST_UNKNOWN',
  )
  await several.close()
  await nobody.close()
})

async function add(body: object) {
  return await manager.ask('POST', '/api/v1/repositories', body)
}

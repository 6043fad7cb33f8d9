import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import { ENGINE_NOT_FOR_APP } from '#commands/engine-errors.ts'
import { newId } from '#lib/id.ts'
import { type TestServer, testServer } from './test-server.ts'

const TREE = {
  'docker-compose.web.yml': 'services:\n  web:\n    image: web:${TAG:-1}\n',
  'simple-stack-instance.web.Live.json': '{ "enabled": true }',
  'simple-stack-instance.web.Live.EU_1.json': '{ "enabled": true }',
}

/** Engine ('local' is the host's own) -> what its swarm runs. */
let swarms: Record<string, { stack: string; owner: string | null; id?: string }[]>
let tree: Record<string, string>
let told: { command: string; engine: string | undefined; params: Record<string, unknown> }[]
let refusal: Error | undefined
let manager: TestServer | undefined

beforeEach(async () => {
  await manager?.close()
  tree = { ...TREE }
  told = []
  refusal = undefined
  swarms = {}
  const server = await testServer({
    environment: { FAIRLEAD_GIT_HOSTS: 'git.example.org' },
    answer: (command, params, { engine }) => answer(command, params as never, engine),
  })
  manager = server
  const repository = { name: 'infra', url: 'https://git.example.org/infra.git', auto_apps: true }
  assert.equal((await server.ask('POST', '/api/v1/repositories', repository)).statusCode, 201)
  const engines = [
    { name: 'local', labels: {}, version: '20.10', problem: null },
    { name: 'eu-1', labels: {}, version: '20.10', problem: null },
    { name: 'away', labels: {}, version: null, problem: 'it does not answer' },
  ]
  await server.parts.db
    .updateTable('hosts')
    .set({ engines: JSON.stringify(engines) })
    .execute()
})
after(() => manager?.close())

function answer(command: string, params: Record<string, unknown>, engine = 'local'): unknown {
  told.push({ command, engine, params })
  switch (command) {
    case 'repository.checkout':
      return {
        ...{ commit: 'c'.repeat(40), tree: 'd'.repeat(40), subject: 's', author: 'a', links: [] },
        ...{ paths: Object.keys(tree), texts: {} },
      }
    case 'repository.read':
      return { texts: Object.fromEntries((params.paths as string[]).map(path => [path, tree[path]])) }
    case 'engine.choose':
      if (refusal) {
        throw refusal
      }
      return { engine: params.wish, version: '20.10' }
    case 'swarm.render':
      return { services: { web: { image: 'web:1' } }, warnings: [], findings: [], render: 'x' }
    case 'swarm.list':
      return { stacks: (swarms[engine] ?? []).map(seen), truncated: engine === 'eu-1' }
    case 'image.list':
      return {
        images: [{ id: `sha256:${engine}`, tags: [], digests: [], created: 1 }],
        truncated: false,
      }
    default:
      return { outcome: 'pushed', commit: 'f'.repeat(40), text: params.after }
  }
}

function seen({
  stack,
  owner,
  id = `${stack}-${owner}`,
}: {
  stack: string
  owner: string | null
  id?: string
}) {
  const service = { id, name: 'web', image: 'web:1', replicas: 1, running: 1, problem: null, tasks: [] }
  return { stack, owner, services: [service] }
}

async function ask(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown) {
  return await (manager as TestServer).ask(method, `/api/v1${path}`, body)
}

async function registered(...names: string[]): Promise<void> {
  const { db } = (manager as TestServer).parts
  const { id } = await db.selectFrom('repositories').select('id').executeTakeFirstOrThrow()
  for (const name of names) {
    const settings = { entry: name, target: 'stack', overrides: '{}', host: 'local', version: 1 }
    const row = { id: newId(), name, repository_id: id, ...settings, created_at: 1, updated_at: 1 }
    await db.insertInto('apps').values(row).execute()
  }
}

type Listed = Record<'stack' | 'engine' | 'app', string | null> & {
  services: object[]
  config: { file: string } | null
}

async function listed() {
  const list = (await ask('GET', '/stacks')).json()
  const items = (list.items as Listed[]).map(({ stack, engine, app, services, config }) => [
    ...[stack, engine, app, services.length, config?.file.split('.').slice(-2)[0]],
  ])
  return { ...list, items }
}

test('R28 R53 stacks of every engine are listed, each with the file that is for that engine', async () => {
  await registered('live', 'live-eu-1')
  swarms = {
    local: [{ stack: 'live', owner: 'live' }],
    'eu-1': [
      { stack: 'live', owner: 'live-eu-1' },
      { stack: 'other', owner: null },
    ],
  }
  const { items, unseen, truncated } = await listed()
  assert.deepEqual(items, [
    ['Live', null, 'live', 1, 'Live'],
    ['Live', 'eu-1', 'live-eu-1', 1, 'EU_1'],
    ['other', 'eu-1', null, 1, undefined],
  ])
  assert.equal(truncated, true)
  assert.deepEqual(
    unseen.map((each: { engine: string; error: { code: string } }) => [each.engine, each.error.code]),
    [['away', 'ENGINE_UNSEEN']],
  )
})

test('R28 a stack that does not run names its app, and one of another repository is not taken for it', async () => {
  await registered('live')
  swarms = { 'eu-1': [{ stack: 'live', owner: 'news' }] }
  await (manager as TestServer).parts.db
    .insertInto('apps')
    .values({
      ...{ id: newId(), name: 'news', repository_id: null, entry: 'news', target: 'stack', overrides: '{}' },
      ...{ host: 'local', version: 1, created_at: 1, updated_at: 1 },
    })
    .execute()
  assert.deepEqual((await listed()).items, [
    ['Live', null, 'live', 0, 'Live'],
    ['Live', 'eu-1', null, 0, 'EU_1'],
    ['live', 'eu-1', 'news', 1, undefined],
  ])
})

test('R28 a swarm that two engines manage is told of once', async () => {
  swarms = { local: [{ stack: 'x', owner: null, id: '1' }], 'eu-1': [{ stack: 'x', owner: null, id: '1' }] }
  tree = {}
  assert.deepEqual((await listed()).items, [['x', null, null, 1, undefined]])
})

test('R32 images of every engine are listed', async () => {
  const { items, unseen } = (await ask('GET', '/images')).json()
  assert.deepEqual(
    items.map(({ id, engine }: { id: string; engine: string | null }) => [id, engine]),
    [
      ['sha256:local', null],
      ['sha256:eu-1', 'eu-1'],
    ],
  )
  assert.equal(unseen.length, 1)
})

test('R29 R53 a stack for an engine is rendered there, once that engine may have it', async () => {
  const wish = { stackDefinition: 'web', stack: 'next', engine: 'eu-1' }
  refusal = ENGINE_NOT_FOR_APP('eu-1', 'next-eu-1')
  const refused = await ask('POST', '/stacks', wish)
  assert.deepEqual([refused.statusCode, refused.json().code], [403, 'ENGINE_NOT_FOR_APP'])
  assert.equal(
    told.some(({ command }) => ['swarm.render', 'repository.commit'].includes(command)),
    false,
  )
  refusal = undefined
  assert.equal((await ask('POST', '/stacks', wish)).statusCode, 202)
  const chosen = told.find(({ command }) => command === 'engine.choose')
  assert.deepEqual(chosen?.params, { app: 'next-eu-1', wish: 'eu-1' })
  assert.equal(told.find(({ command }) => command === 'swarm.render')?.engine, 'eu-1')
})

test('R30 R31 R53 a stack and its namesake on another engine are told apart, with "local" for the one without', async () => {
  assert.equal((await ask('DELETE', '/stacks/Live')).json().code, 'STACK_AMBIGUOUS')
  for (const [engine, file] of [
    ['local', 'simple-stack-instance.web.Live.json'],
    ['eu-1', 'simple-stack-instance.web.Live.EU_1.json'],
  ]) {
    assert.equal((await ask('PUT', `/stacks/Live?engine=${engine}`, { options: {} })).json().file, file)
    assert.equal((await ask('DELETE', `/stacks/Live?engine=${engine?.toUpperCase()}`)).json().file, file)
  }
  const wish = { stackDefinition: 'web', stack: 'next', engine: 'local' }
  assert.equal((await ask('POST', '/stacks', wish)).json().file, 'simple-stack-instance.web.next.json')
})

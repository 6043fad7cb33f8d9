import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import { type TestServer, testServer } from './test-server.ts'

const WEB = 'services:\n  web:\n    image: web:${TAG:-1}\n'
const CODE = { url: 'https://git.example.org/code.git' }
const TREE = {
  'conf/repo.code.json': JSON.stringify(CODE),
  'conf/stack-definition.remote-repo.shop.json': '{ "composes": ["web", "far"], "repo": "code" }',
  'docker-compose.web.yml': WEB,
}
const FAR = {
  '.remote-repo/code/deploy/docker-compose.far.yml': 'services:\n  far:\n    image: far:1\n',
  '.remote-repo/code/deploy/docker-compose.site.yml': 'services:\n  site:\n    image: site:1\n',
}

let tree: Record<string, string>
let told: { command: string; params: Record<string, unknown> }[]
let manager: TestServer | undefined

beforeEach(async () => {
  await manager?.close()
  tree = { ...TREE }
  told = []
  manager = await testServer({
    environment: { FAIRLEAD_GIT_HOSTS: 'git.example.org' },
    answer: (command, params) => answer(command, params as never),
  })
  const repository = { name: 'infra', url: 'https://git.example.org/infra.git', auto_apps: true }
  assert.equal((await ask('POST', '/repositories', repository)).statusCode, 201)
})
after(() => manager?.close())

function answer(command: string, params: Record<string, unknown>): unknown {
  told.push({ command, params })
  switch (command) {
    case 'repository.checkout': {
      const isJoined = params.remotes !== undefined
      return {
        ...{ commit: 'c'.repeat(40), tree: 'd'.repeat(40), subject: 's', author: 'a', links: [] },
        ...{ paths: Object.keys({ ...tree, ...(isJoined ? FAR : {}) }), texts: {} },
        ...(isJoined ? { checkout: 'a'.repeat(40), remotes: [] } : {}),
      }
    }
    case 'repository.read': {
      const all: Record<string, string> = { ...tree, ...FAR }
      return { texts: Object.fromEntries((params.paths as string[]).map(path => [path, all[path]])) }
    }
    case 'swarm.render':
      return { services: { web: { image: 'web:1' } }, warnings: [], findings: [], render: 'x' }
    case 'swarm.list':
      return { stacks: [] }
    default: {
      const { path, after: text } = params as { path: string; after: string | null }
      delete tree[path]
      Object.assign(tree, text === null ? {} : { [path]: text })
      return { outcome: 'pushed', commit: 'f'.repeat(40), text }
    }
  }
}

async function ask(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown) {
  return await (manager as TestServer).ask(method, `/api/v1${path}`, body)
}

const rendered = () => told.findLast(({ command }) => command === 'swarm.render')?.params

test('R33 R51 a definition with Compose files of another repository is listed, with what is known of it', async () => {
  const { items } = (await ask('GET', '/stackDefinitions')).json()
  const shop = items.find(({ name }: { name: string }) => name === 'shop')
  assert.deepEqual(
    [shop.kind, shop.repo, shop.problems, shop.composes],
    ['definition', 'code', undefined, ['docker-compose.web.yml', '.remote-repo/code/docker-compose.far.yml']],
  )
  assert.deepEqual(Object.keys(shop.options.properties), ['TAG'])
})

test('R29 R51 a stack of such a definition is written once it renders with the files of both', async () => {
  const made = await ask('POST', '/stacks', {
    ...{ stackDefinition: 'shop', stack: 'north', options: { TAG: '2', FAR_PORT: '80' } },
  })
  assert.equal(made.statusCode, 202, made.body)
  const file = 'conf/stack-instance.shop.north.json'
  assert.deepEqual([made.json().file, made.json().services.length], [file, 1])
  assert.deepEqual(rendered()?.files, [
    'docker-compose.web.yml',
    '.remote-repo/code/deploy/docker-compose.far.yml',
  ])
  assert.equal(rendered()?.commit, 'a'.repeat(40))
})

const INSTANCE = 'conf/simple-stack-instance.remote-repo.site.live.json'

test('R28 R29 R30 R31 R51 a stack of one Compose file of another repository is added, listed, changed and removed', async () => {
  const body = { stackDefinition: 'site', stack: 'live', repo: 'code', options: { PORT: 8080 } }
  const made = await ask('POST', '/stacks', body)
  assert.deepEqual([made.statusCode, made.json().file], [202, INSTANCE], made.body)
  assert.deepEqual(rendered()?.files, ['.remote-repo/code/deploy/docker-compose.site.yml'])
  const [listed] = (await ask('GET', '/stacks')).json().items
  assert.deepEqual(
    [listed.stack, listed.config.stackDefinition, listed.config.options, listed.config.problems],
    ['live', 'site', { PORT: '8080' }, undefined],
  )
  const changed = await ask('PUT', '/stacks/live', { options: { PORT: 9090 } })
  assert.equal(changed.statusCode, 202, changed.body)
  assert.deepEqual(JSON.parse(tree[INSTANCE] ?? ''), {
    ...{ enabled: true, parameters: [{ name: 'PORT', value: '9090' }], repo: 'code' },
  })
  assert.equal((await ask('DELETE', '/stacks/live')).statusCode, 202)
  assert.equal(tree[INSTANCE], undefined)
})

test('R51 a stack whose other repository needs a key that nobody could set yet is written, and the answer says so', async () => {
  tree['conf/repo.code.json'] = JSON.stringify({ ...CODE, credential: 'CODE_KEY' })
  const body = { stackDefinition: 'site', stack: 'live', repo: 'code' }
  const made = await ask('POST', '/stacks', body)
  assert.deepEqual([made.statusCode, made.json().services], [202, []], made.body)
  assert.match(made.json().warnings.join(), /not checked: .*CODE_KEY/)
  assert.equal(rendered(), undefined)
})

test('R51 another repository that no file names, or several, is told before anything is written', async () => {
  const body = { stackDefinition: 'site', stack: 'live', repo: 'other' }
  assert.equal((await ask('POST', '/stacks', body)).json().code, 'REMOTE_REPO_UNKNOWN')
  tree['repo.code.json'] = JSON.stringify(CODE)
  const twice = await ask('POST', '/stacks', { ...body, repo: 'code' })
  assert.deepEqual([twice.statusCode, twice.json().code], [409, 'STACK_AMBIGUOUS'])
  assert.deepEqual(Object.keys(tree), [...Object.keys(TREE), 'repo.code.json'])
})

test('R30 R35 options of a stack in the first spelling go into its file, which is made where there is none', async () => {
  Object.assign(tree, {
    'old/docker-compose-old.yml': WEB,
    'old/stack-old.json': '{ "parameters": [{ "name": "TAG", "value": "1" }] }',
    'docker-compose-plain.yml': WEB,
  })
  for (const [stack, file] of [
    ['old', 'old/stack-old.json'],
    ['plain', 'stack-plain.json'],
  ] as const) {
    const changed = await ask('PUT', `/stacks/${stack}`, { options: { TAG: '3' }, enabled: false })
    assert.deepEqual([changed.statusCode, changed.json().file], [202, file], changed.body)
    assert.deepEqual(JSON.parse(tree[file] ?? ''), {
      ...{ enabled: false, parameters: [{ name: 'TAG', value: '3' }] },
    })
  }
  const wrong = await ask('PUT', '/stacks/old', { options: { TGA: '3' } })
  assert.deepEqual([wrong.statusCode, wrong.json().code], [422, 'STACK_OPTIONS_WRONG'])
})

test('R29 a stack of that name that is made of something else is a conflict with both versions, also with equal options', async () => {
  const same = '{\n  "enabled": true,\n  "parameters": []\n}\n'
  Object.assign(tree, {
    'docker-compose.db.yml': 'services:\n  db:\n    image: db:1\n',
    'simple-stack-instance.web.docs.json': same,
  })
  const before = Object.keys(tree)
  const refused = await ask('POST', '/stacks', { stackDefinition: 'db', stack: 'docs' })
  assert.deepEqual([refused.statusCode, refused.json().code], [409, 'STACK_CONFLICT'], refused.body)
  const { detail, facts } = refused.json()
  assert.match(detail, /simple-stack-instance\.web\.docs\.json is the stack "docs" already, of "web"/)
  assert.deepEqual(
    [facts.theirs_file, facts.theirs, facts.yours_file, facts.yours],
    ['simple-stack-instance.web.docs.json', same, 'simple-stack-instance.db.docs.json', same],
  )
  assert.deepEqual(Object.keys(tree), before)
})

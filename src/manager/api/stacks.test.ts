import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import { type TestServer, testServer } from './test-server.ts'

const DEFINITION = 'shared/stack-definition.shop.json'
const TREE = {
  [DEFINITION]: '{ "composes": ["web"] }',
  'shared/stack-definition.shop.schema.json': JSON.stringify({
    type: 'object',
    properties: { PORT: { type: 'integer', minimum: 1024 }, KEY: { type: 'string', writeOnly: true } },
    required: ['PORT'],
  }),
  'docker-compose.web.yml': 'services:\n  web:\n    image: web:${TAG:-1}\n    ports: ["${PORT}:80"]\n',
}
const FILE = 'shared/stack-instance.shop.north.json'

const IMAGES = [
  { id: 'sha256:1', tags: ['team/tool:1.4'], digests: [], created: 1_800_000_000 },
  { id: 'sha256:2', tags: ['other:1'], digests: [], created: 1_700_000_000 },
]

/** What the branch has, and what the swarm runs. */
let tree: Record<string, string>
let told: { command: string; params: Record<string, unknown> }[]
let running: object[]
/** Somebody else's push just before ours. */
let meanwhile: () => void
let manager: TestServer | undefined
let truncated: boolean

beforeEach(async () => {
  await manager?.close()
  tree = { ...TREE }
  told = []
  running = []
  meanwhile = () => undefined
  truncated = false
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
    case 'repository.checkout':
      return {
        ...{ commit: 'c'.repeat(40), tree: 'd'.repeat(40), subject: 's', author: 'a', links: [] },
        ...{ paths: Object.keys(tree), texts: {}, truncated },
      }
    case 'repository.read':
      return { texts: Object.fromEntries((params.paths as string[]).map(path => [path, tree[path]])) }
    case 'swarm.render':
      return { services: { web: { image: 'web:1' } }, warnings: [], findings: [], render: 'x' }
    case 'image.list':
      return { images: IMAGES, truncated: false }
    case 'swarm.list':
      return { stacks: running }
    default:
      return commit(params as never)
  }
}

function commit({
  path,
  before,
  after: text,
  also = [],
}: {
  path: string
  before: string | null
  after: string | null
  also?: { path: string; before: string }[]
}) {
  meanwhile()
  const other = also.find(each => tree[each.path] !== each.before)
  if (other) {
    return { outcome: 'conflict', commit: 'f'.repeat(40), text: tree[other.path] ?? null, path: other.path }
  }
  for (const each of also) {
    delete tree[each.path]
  }
  const stands = tree[path] ?? null
  const tip = 'f'.repeat(40)
  if (stands === text || stands !== before) {
    return { outcome: stands === text ? 'unchanged' : 'conflict', commit: tip, text: stands }
  }
  delete tree[path]
  Object.assign(tree, text === null ? {} : { [path]: text })
  return { outcome: 'pushed', commit: tip, text }
}

async function ask(
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
) {
  return await (manager as TestServer).ask(method, `/api/v1${path}`, body, headers)
}

const NORTH = { stackDefinition: 'shop', stack: 'north', options: { PORT: 8080, KEY: '$NORTH_KEY' } }

test('R33 definitions are listed with the schema of their options and the stacks made of them', async () => {
  await ask('POST', '/stacks', NORTH)
  const { items, unread } = (await ask('GET', '/stackDefinitions')).json()
  assert.deepEqual(unread, [])
  assert.deepEqual(
    items.map(({ name, kind, stacks }: Record<string, unknown>) => [name, kind, stacks]),
    [
      ['web', 'compose', []],
      ['shop', 'definition', ['north']],
    ],
  )
  assert.deepEqual(Object.keys(items[1].options.properties), ['PORT', 'KEY', 'TAG'])
})

test('R29 a stack is written beside its definition once it renders, and its push is looked for', async () => {
  const made = await ask('POST', '/stacks', NORTH)
  assert.equal(made.statusCode, 202, made.body)
  const { file, outcome, version, services, warnings } = made.json()
  assert.deepEqual([file, outcome, services], [FILE, 'pushed', [{ name: 'web', image: 'web:1' }]])
  assert.match(warnings.join(), /secret NORTH_KEY is not set: "fairlead secrets set north NORTH_KEY"/)
  assert.deepEqual(JSON.parse(tree[FILE] ?? ''), {
    enabled: true,
    parameters: [
      { name: 'KEY', value: '$NORTH_KEY' },
      { name: 'PORT', value: '8080' },
    ],
  })
  const rendered = told.find(({ command }) => command === 'swarm.render')
  assert.deepEqual(rendered?.params.variables, { PORT: '8080' })
  assert.ok(told.every(({ command }) => !/deploy|up$|start/.test(command)))
  const { looked } = (manager as TestServer).recorded
  assert.equal(looked.length, 2)
  assert.equal((await ask('GET', '/stacks')).json().items[0].config.version, version)
})

test('R29 what is there already is not made again, and another one in its place is a conflict with both versions', async () => {
  await ask('POST', '/stacks', NORTH)
  assert.equal((await ask('POST', '/stacks', NORTH)).json().outcome, 'unchanged')
  const other = await ask('POST', '/stacks', { ...NORTH, options: { PORT: 9090 } })
  assert.equal(other.statusCode, 409)
  const { code, facts } = other.json()
  assert.equal(code, 'STACK_CONFLICT')
  assert.match(facts.yours, /9090/)
  assert.match(facts.theirs, /8080/)
})

test('R30 the complete options are given anew: what is not named is as the definition says', async () => {
  await ask('POST', '/stacks', NORTH)
  const changed = await ask('PUT', '/stacks/north', { stackDefinition: 'shop', options: { PORT: 8081 } })
  assert.equal(changed.statusCode, 202, changed.body)
  assert.deepEqual(JSON.parse(tree[FILE] ?? '').parameters, [{ name: 'PORT', value: '8081' }])
})

test('R30 a version that is not the one seen, and a push in the same moment, are conflicts with both versions', async () => {
  const { version } = (await ask('POST', '/stacks', NORTH)).json()
  const options = { PORT: 8081 }
  const seen = { 'if-match': `"${version}"` }
  assert.equal((await ask('PUT', '/stacks/north', { options }, seen)).statusCode, 202)
  const late = await ask('PUT', '/stacks/north', { options: { PORT: 8082 } }, seen)
  assert.deepEqual([late.statusCode, late.json().code], [409, 'STACK_CONFLICT'])
  meanwhile = () => Object.assign(tree, { [FILE]: '{ "enabled": false }' })
  const raced = await ask('PUT', '/stacks/north', { options: { PORT: 8083 } })
  assert.deepEqual([raced.statusCode, raced.json().facts.theirs], [409, '{ "enabled": false }'])
  assert.match(raced.json().facts.yours, /8083/)
  assert.equal((await ask('DELETE', '/stacks/north', undefined, seen)).statusCode, 409)
})

test('R31 a stack is removed by removing its file', async () => {
  await ask('POST', '/stacks', NORTH)
  const gone = await ask('DELETE', '/stacks/north')
  assert.deepEqual([gone.statusCode, gone.json().version, tree[FILE]], [202, null, undefined])
  assert.equal((await ask('DELETE', '/stacks/north')).json().code, 'STACK_UNKNOWN')
})

test('R28 what runs and what the repository says stand together, and each also alone', async () => {
  await ask('POST', '/stacks', NORTH)
  await ask('POST', '/stacks', { ...NORTH, stack: 'south', enabled: false })
  const service = {
    ...{ id: 's1', name: 'web', image: 'web:1', replicas: 1, running: 1, problem: null },
    tasks: [{ id: 't', slot: 1, node: 'a', state: 'running', desired: 'running', error: '', image: 'web:1' }],
  }
  running = ['north', 'foreign'].map(stack => ({
    ...{ stack, services: [service], owner: stack === 'north' ? 'north' : null },
  }))
  const { items } = (await ask('GET', '/stacks')).json()
  assert.deepEqual(
    items.map((each: Record<string, { enabled?: boolean; length: number } | null>) => [
      ...[each.stack, each.app, each.services?.length, each.config?.enabled],
    ]),
    [
      ['foreign', null, 1, undefined],
      ['north', 'north', 1, true],
      ['south', null, 0, false],
    ],
  )
})

test('R32 images are listed with the file that describes them', async () => {
  Object.assign(tree, { 'Dockerfile.tool': 'FROM x', 'image.tool.json': '{ "tag": "team/tool:1.4" }' })
  const { items } = (await ask('GET', '/images')).json()
  assert.deepEqual(
    items.map(({ id, config }: { id: string; config: { file: string; app: string } | null }) => [
      ...[id, config?.file, config?.app],
    ]),
    [
      ['sha256:1', 'image.tool.json', 'image-tool'],
      ['sha256:2', undefined, undefined],
    ],
  )
})

const REFUSED: readonly [string, object, number, string, RegExp][] = [
  [
    'an unknown definition',
    { stackDefinition: 'shpo' },
    404,
    'STACK_DEFINITION_UNKNOWN',
    /did you mean "shop"/,
  ],
  ['a missing option', { options: {} }, 422, 'STACK_OPTIONS_WRONG', /PORT is missing/],
  ['an option that nobody knows', { options: { PORT: 8080, PROT: 1 } }, 422, 'STACK_OPTIONS_WRONG', /PROT/],
  ['a value that does not fit', { options: { PORT: 80 } }, 422, 'STACK_OPTIONS_WRONG', /PORT is 80/],
  ['a secret in clear', { options: { PORT: 8080, KEY: 'x' } }, 422, 'STACK_OPTIONS_WRONG', /KEY is a secret/],
  ['a name that is a path', { stack: '../x' }, 422, 'BAD_INPUT', /stack/],
  ['a repository that is not there', { repository: 'other' }, 404, 'REPOSITORY_UNKNOWN', /other/],
]
for (const [what, change, status, code, words] of REFUSED) {
  test(`R29 ${what} is refused, and nothing is written`, async () => {
    const refused = await ask('POST', '/stacks', { ...NORTH, ...change })
    assert.deepEqual([refused.statusCode, refused.json().code], [status, code], refused.body)
    assert.match(refused.json().detail, words)
    assert.deepEqual(Object.keys(tree), Object.keys(TREE))
  })
}

test('R33 a definition that is broken makes no stack, and its line is told', async () => {
  tree[DEFINITION] = '{\n  "composes": "web"\n}'
  const refused = (await ask('POST', '/stacks', NORTH)).json()
  assert.equal(refused.code, 'STACK_DEFINITION_BROKEN')
  assert.deepEqual([refused.problems[0].file, refused.problems[0].line], [DEFINITION, 2])
})

test('a definition of the same name in two repositories has to be told apart', async () => {
  await ask('POST', '/repositories', {
    name: 'other',
    url: 'https://git.example.org/other.git',
    auto_apps: true,
  })
  assert.equal((await ask('POST', '/stacks', NORTH)).json().code, 'STACK_AMBIGUOUS')
  assert.equal((await ask('POST', '/stacks', { ...NORTH, repository: 'other' })).statusCode, 202)
})

const COMPOSE = 'services:\n  web:\n    image: web:1\n'

test('R23 R31 a stack in the first spelling is removed with its Compose file, which would go on by itself', async () => {
  Object.assign(tree, { 'stack-old.json': '{ "enabled": true }', 'docker-compose-old.yml': COMPOSE })
  const gone = await ask('DELETE', '/stacks/old')
  assert.deepEqual([gone.statusCode, gone.json().file], [202, 'stack-old.json'], gone.body)
  assert.deepEqual(Object.keys(tree), Object.keys(TREE))
})

test('R31 a Compose file that somebody changes in the same moment is a conflict, and both files stay', async () => {
  Object.assign(tree, { 'stack-old.json': '{}', 'docker-compose-old.yml': COMPOSE })
  meanwhile = () => Object.assign(tree, { 'docker-compose-old.yml': 'theirs' })
  const { code, detail, facts } = (await ask('DELETE', '/stacks/old')).json()
  assert.deepEqual([code, facts.theirs, facts.yours], ['STACK_CONFLICT', 'theirs', null])
  assert.match(detail, /docker-compose-old\.yml/)
  assert.equal(tree['stack-old.json'], '{}')
})

test('R23 R31 what others need, or what would come up by itself, is not removed with a stack', async () => {
  Object.assign(tree, {
    'stack-old.json': '{}',
    'docker-compose-old.yml': COMPOSE,
    'stack-definition.uses.json': '{ "composes": ["old"] }',
    'docker-compose-plain.yml': COMPOSE,
    'simple-stack-instance.plain.live.json': '{ "enabled": true }',
  })
  const before = Object.keys(tree)
  for (const [stack, words] of [
    ['old', /docker-compose-old\.yml is about the app "old" too/],
    ['live', /without it "plain" would be an app by itself/],
  ] as const) {
    const refused = (await ask('DELETE', `/stacks/${stack}`)).json()
    assert.equal(refused.code, 'STACK_NOT_OURS_TO_WRITE')
    assert.match(refused.detail, words)
  }
  assert.deepEqual(Object.keys(tree), before)
})

test('R28 R31 a Compose file that is a part of a definition is no stack, and cannot be removed as one', async () => {
  Object.assign(tree, {
    'docker-compose-part.yml': COMPOSE,
    'stack-definition.uses.json': '{ "composes": ["part"] }',
    'stack-instance.uses.live.json': '{ "enabled": true }',
  })
  const { items } = (await ask('GET', '/stacks')).json()
  assert.deepEqual(
    items.map(({ stack }: { stack: string }) => stack),
    ['live'],
  )
  assert.equal((await ask('DELETE', '/stacks/part')).json().code, 'STACK_UNKNOWN')
})

test('R29 a stack does not take away another one that is a Compose file by itself', async () => {
  tree['docker-compose-alone.yml'] = COMPOSE
  const refused = (await ask('POST', '/stacks', { stackDefinition: 'alone', stack: 'live' })).json()
  assert.equal(refused.code, 'STACK_NOT_OURS_TO_WRITE')
  assert.match(refused.detail, /the app "alone" would not be described any more/)
})

test('R29 a name that the app of another repository has is refused before anything is written', async () => {
  const other = { name: 'other', url: 'https://git.example.org/other.git' }
  assert.equal((await ask('POST', '/repositories', other)).statusCode, 201)
  const app = { name: 'north', repository: 'other' }
  const added = await ask('POST', '/apps', app)
  assert.equal(added.statusCode, 201, added.body)
  const refused = await ask('POST', '/stacks', NORTH)
  assert.deepEqual([refused.statusCode, refused.json().code], [409, 'APP_NAME_TAKEN'])
  assert.deepEqual(Object.keys(tree), Object.keys(TREE))
})

test('R31 a stack whose app needs an approval waits for a person, and the answer says so', async () => {
  await ask('POST', '/stacks', NORTH)
  const { statusCode } = await ask('POST', '/apps', {
    name: 'north',
    repository: 'infra',
    approval: 'required',
  })
  assert.equal(statusCode, 201)
  const { warnings } = (await ask('DELETE', '/stacks/north')).json()
  assert.match(warnings.join(), /"north" need an approval.*fairlead repositories removals infra --go-on/)
})

test('R33 reads in a row ask the Git server once, and again when they are to be fresh or the branch has moved', async () => {
  const asked = async (path: string) => {
    const before = told.length
    await ask('GET', path)
    return told.slice(before).filter(({ command }) => command === 'repository.checkout').length
  }
  assert.equal(await asked('/stackDefinitions'), 1)
  assert.deepEqual(
    [await asked('/stackDefinitions'), await asked('/stacks'), await asked('/images')],
    [0, 0, 0],
  )
  assert.equal(await asked('/stacks?fresh=true'), 1)
  const { db } = (manager as TestServer).parts
  await db
    .updateTable('repositories')
    .set({ last_tip: 'e'.repeat(40) })
    .execute()
  assert.equal(await asked('/stackDefinitions'), 1)
  await ask('POST', '/stacks', NORTH)
  assert.equal((await ask('GET', '/stacks')).json().items.length, 1)
})

test('R33 an answer says which repositories it does not have in full, and how many it did not ask', async () => {
  truncated = true
  for (let index = 0; index < 51; index += 1) {
    const name = `more-${index}`
    await ask('POST', '/repositories', { name, url: `https://git.example.org/${name}.git`, auto_apps: true })
  }
  const found = (await ask('GET', '/stackDefinitions')).json()
  assert.equal(found.incomplete.length, 50)
  assert.equal(found.unasked, 2)
})

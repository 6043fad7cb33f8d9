import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { HostFacts } from '#commands/command.ts'
import { COMMANDS } from '#commands/index.ts'
import { CLOSE } from '#contract/agent-frames.ts'
import { newId } from '#lib/id.ts'
import { MAX_STRIKES } from '#link/limits.ts'
import { startTestAgent } from './test-agent.ts'
import { TestManager } from './test-manager.ts'

const HOST = {
  name: 'test',
  workspace: '/workspace',
  dockerSocket: '/run/docker.sock',
  policy: {
    mode: 'enforce',
    ports: { from: 20_000, to: 20_100, never: [20_050] },
    allowPrivate: [],
    registries: [],
    limits: { memoryBytes: 2 ** 30 },
  },
  systems: {
    socket: '/run/incus.socket',
    project: 'default',
    backups: '/backups',
    imageServer: 'https://images.example.org',
  },
} as unknown as HostFacts

const START = {
  app: 'shop',
  deployment: newId(),
  commit: 'c'.repeat(40),
  configHash: 'a'.repeat(64),
  image: 'fairlead/shop:t-1',
  environment: {},
  port: 8080,
  health: { withinMs: 1_000 },
  volumes: [],
  ports: [],
  stopGraceSeconds: 1,
}
const RENDER = {
  app: 'shop',
  project: 'shop',
  repository: 'r'.repeat(64),
  commit: 'c'.repeat(40),
  files: ['compose.yaml'],
  variables: {},
  secrets: {},
  routes: [],
  sharedVolumes: [],
}
const BUILD = {
  app: 'shop',
  repository: RENDER.repository,
  commit: RENDER.commit,
  context: '.',
  dockerfile: 'Dockerfile',
  args: {},
  secrets: {},
  reference: 'fairlead/shop:t-1',
  registries: [],
}

const SYSTEM = {
  id: newId(),
  name: 'box',
  deployment: newId(),
  image: 'debian/13',
  shape: { memoryBytes: 2 ** 28, cpus: 1, processes: 100, ports: [] as object[] },
  configHash: 'a'.repeat(64),
  restored: 0,
}
const SSH = { protocol: 'tcp', host: 22, container: 22 }

const PATH_REFUSED = /^(?:IMAGE|REPOSITORY)_PATH_REFUSED$/

/** What a manager with valid keys sends that wants more than it may have. */
const FORBIDDEN: readonly (readonly [what: string, command: string, params: object, code: RegExp])[] = [
  ['a port of SSH', 'container.start', { ...START, ports: [{ host: 22, container: 22 }] }, /^PORT_REFUSED$/],
  [
    'a port that is never granted',
    'container.start',
    { ...START, ports: [{ host: 20_050, container: 1 }] },
    /^PORT_REFUSED$/,
  ],
  [
    'a folder of the host',
    'container.start',
    { ...START, volumes: [{ name: '/etc', path: '/x' }] },
    /^BAD_PARAMS$/,
  ],
  ['privileges', 'container.start', { ...START, privileged: true }, /^BAD_PARAMS$/],
  [
    'a Compose file outside',
    'compose.render',
    { ...RENDER, files: ['../../../etc/compose.yaml'] },
    /^REPOSITORY_PATH_REFUSED$/,
  ],
  ['a configuration of its own', 'compose.render', { ...RENDER, model: { services: {} } }, /^BAD_PARAMS$/],
  ['another repository', 'compose.render', { ...RENDER, repository: '../other' }, /^BAD_PARAMS$/],
  [
    'a configuration that nobody rendered',
    'compose.up',
    { app: 'shop', project: 'shop', render: { services: {} } },
    /^BAD_PARAMS$/,
  ],
  ['a build of /etc', 'image.build', { ...BUILD, context: '/etc' }, PATH_REFUSED],
  ['a Dockerfile outside', 'image.build', { ...BUILD, dockerfile: '../../etc/passwd' }, PATH_REFUSED],
  [
    'the SSH port of the host for a system',
    'system.create',
    { ...SYSTEM, shape: { ...SYSTEM.shape, ports: [SSH] } },
    /^PORT_REFUSED$/,
  ],
  [
    'a system with more memory than anybody may have',
    'system.create',
    { ...SYSTEM, shape: { ...SYSTEM.shape, memoryBytes: 2 ** 31 } },
    /^SANDBOX_OVER_LIMIT$/,
  ],
  [
    'a system with privileges',
    'system.create',
    { ...SYSTEM, config: { 'security.privileged': 'true' } },
    /^BAD_PARAMS$/,
  ],
  [
    'a device of the host in a system',
    'system.create',
    { ...SYSTEM, shape: { ...SYSTEM.shape, devices: { root: { type: 'disk', source: '/' } } } },
    /^BAD_PARAMS$/,
  ],
  [
    'an image from elsewhere',
    'system.create',
    { ...SYSTEM, image: 'https://evil.example/x' },
    /^BAD_PARAMS$/,
  ],
  ['Incus itself', 'incus.exec', { name: 'box', command: ['id'] }, /^(?:FORBIDDEN_COMMAND|BAD_FRAME)$/],
  ['the firewall', 'firewall.apply', {}, /^(?:FORBIDDEN_COMMAND|BAD_FRAME|BAD_PARAMS)$/],
]

async function connected(t: TestContext) {
  const calls: unknown[] = []
  const agent = await startTestAgent(t, {
    obey: {
      commands: COMMANDS,
      host: HOST,
      createPerform: () => async call => {
        // Looking for what is there is allowed; nothing is there.
        if ('method' in call && call.method === 'GET') {
          return (call.path === '/1.0/instances' ? [] : undefined) as never
        }
        calls.push(call)
        throw new Error('nothing is done to a host here')
      },
    },
  })
  const manager = new TestManager(t, agent)
  await manager.open()
  return { agent, manager, calls }
}

for (const [what, command, params, code] of FORBIDDEN) {
  test(`X01 a manager with valid keys that asks for ${what} is refused, and that is written down`, async t => {
    const { agent, manager, calls } = await connected(t)
    const id = manager.tell(command, params)
    const { error } = (await manager.frame('error', data => data.id === id)) as { error: { code: string } }
    assert.match(error.code, code)
    assert.deepEqual(calls, [])
    const noted = agent.log.filter(({ event }) => /^(?:command\.refused|agent\.frame-refused)$/.test(event))
    assert.deepEqual(
      noted.map(({ fields }) => fields.code),
      [error.code],
    )
  })
}

test('X01 a manager that goes on with what nobody knows is left after a few', async t => {
  const { agent, manager } = await connected(t)
  for (const name of Array(10).fill(['exec', 'policy.write', 'file.write', '__proto__']).flat()) {
    manager.socket.send(JSON.stringify({ command: name, data: { id: newId() } }))
  }
  assert.equal(await manager.closed, CLOSE.badFrame)
  const noted = agent.log.filter(({ event }) => event === 'agent.frame-refused')
  assert.equal(noted.length, MAX_STRIKES)
})

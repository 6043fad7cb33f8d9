import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ensureBaseImage } from '#cli/demo/base-image.ts'
import { COMPOSE_INVALID, NAME_TAKEN } from '#commands/compose-errors.ts'
import { hostObserve } from '#commands/host-observe.ts'
import { REGISTRY_UNREACHABLE } from '#commands/image-errors.ts'
import { imageList } from '#commands/image-list.ts'
import { swarmList, swarmLogs, swarmObserve } from '#commands/swarm.ts'
import {
  SWARM_IMAGE_NOT_SHARED,
  SWARM_MISSING,
  SWARM_NOT_MANAGED,
  SWARM_ROLLED_BACK,
  SWARM_STACK_TAKEN,
} from '#commands/swarm-errors.ts'
import { readApps } from '#deploy-file/read-apps.ts'
import { systemClock } from '#lib/clock.ts'
import { asFairleadError } from '#lib/errors.ts'
import { TARGETS } from '#targets/index.ts'
import { stack } from '#targets/stack.ts'
import type { StackSettings } from '#targets/stack-settings.ts'
import type { ReleaseFacts } from '#targets/target.ts'
import { startTargetApp, type TargetApp } from './world/compose-app.ts'
import { type ContainerWorld, loginOf, startContainerWorld } from './world/container-world.ts'
import { readExample } from './world/example.ts'
import { type SwarmNodes, startSwarm } from './world/swarm-nodes.ts'

const PORT = 20_080
const VERIFY = { http: '/', port: PORT, within: '4m' } as const

interface Version {
  readonly page: string
  /** Whether the API becomes healthy. */
  readonly health?: string
  readonly greeting?: string
}

/** `web` on every node, `api` twice wherever there is room. */
function files({ base }: ContainerWorld, { page, health = 'true', greeting = 'hello' }: Version) {
  return {
    'web/Dockerfile': `FROM ${base}\nCOPY index.html /www/index.html\nCMD ["httpd", "-f", "-p", "8080", "-h", "/www"]\n`,
    'web/index.html': page,
    'greeting.txt': greeting,
    'compose.yaml': `
services:
  web:
    build: web
    init: true
    stop_grace_period: 1s
    ports: [{ target: 8080, published: ${PORT}, mode: host }]
    deploy: { mode: global, update_config: { monitor: 500ms, parallelism: 2 } }
  api:
    build: web
    init: true
    command: ["sh", "-c", "echo ${page} has begun; exec sleep 10000"]
    healthcheck: { test: ["CMD-SHELL", "${health}"], interval: 500ms, retries: 2 }
    stop_grace_period: 1s
    secrets: [token]
    configs: [{ source: greeting, target: /greeting.txt }]
    deploy:
      replicas: 2
      update_config: { monitor: 500ms, parallelism: 2 }
      rollback_config: { monitor: 500ms, parallelism: 2 }
      restart_policy: { delay: 500ms }
secrets: { token: { environment: TOKEN } }
configs: { greeting: { file: ./greeting.txt } }
`,
  }
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) {
    await systemClock.sleep(50)
  }
}

describe('a stack in a swarm of two machines', () => {
  const resources = new AsyncDisposableStack()
  let world: ContainerWorld
  let nodes: SwarmNodes
  let app: TargetApp<StackSettings>
  let firstRelease: ReleaseFacts | undefined
  const hands = () => world.handsWith({ socket: nodes.manager.socket })
  const named = (name: string, settings: StackSettings = {}) =>
    startTargetApp(world, stack, {
      settings: { environment: { TOKEN: '$TOKEN' }, verify: VERIFY, ...settings },
      hands: hands(),
      registry: loginOf(nodes.registry),
      secrets: { TOKEN: 'first-token' },
      name,
    })
  const seen = async () => (await swarmObserve.run(hands(), { app: world.app, stack: world.app })).services
  const service = async (name: string) => {
    const found = (await seen()).find(each => each.name === name)
    ok(found, name)
    return found
  }
  const page = async (address: string) => (await (await fetch(`http://${address}:${PORT}/`)).text()).trim()
  const docker = (...args: string[]) => nodes.manager.docker(...args)
  /** Container of a task on the manager. */
  const taskOf = async (name: string) =>
    (await docker('ps', '--quiet', '--filter', `name=${world.app}_${name}`)).split('\n')[0] ?? ''
  const things = async (kind: 'secret' | 'config') =>
    (await docker(kind, 'ls', '--format', '{{.Name}}')).split('\n').filter(Boolean)

  before(async () => {
    nodes = await startSwarm(resources)
    world = await startContainerWorld(resources)
    await ensureBaseImage({ name: world.base, socketPath: nodes.manager.socket })
    app = named(world.app)
  })
  after(() => resources.disposeAsync())

  test('R19 is built, pushed, pinned and started on both, and answers on both', async () => {
    const { error, plan, results } = await app.deploy(files(world, { page: 'one' }))
    equal(error, undefined, String(error))
    deepEqual(
      plan.changes.filter(each => each.kind === 'add').map(each => `${each.what} ${each.why}`),
      ['api 2 tasks', 'web on each node'],
    )
    const [api, web] = await seen()
    match(web?.image ?? '', new RegExp(`^${nodes.registry.address}/${world.app}-web@sha256:`))
    deepEqual(
      [web?.nodes, api?.nodes],
      [
        ['one', 'two'],
        ['one', 'two'],
      ],
    )
    const answered = results.get('verify')?.answers as { place: string; status: number }[]
    deepEqual(
      answered.map(each => `${each.place} ${each.status}`).sort(),
      [nodes.manager, nodes.worker].map(({ address }) => `${address}:${PORT} 200`),
    )
    equal(await page(nodes.worker.address), 'one')
    firstRelease = app.release()
    const task = await taskOf('api')
    equal(await docker('exec', task, 'cat', '/run/secrets/token'), 'first-token')
    equal(await docker('exec', task, 'cat', '/greeting.txt'), 'hello')
  })

  test('R19 examples/stack is what its file says, on both machines', async () => {
    const texts = await readExample('stack', world.base)
    const read = readApps({
      paths: Object.keys(texts),
      texts,
      repositoryName: 'example',
      targets: TARGETS,
    })
    deepEqual(read.problems, [])
    const [shop] = read.apps
    ok(shop)
    const name = `${world.app}-shop`
    const example = startTargetApp(world, stack, {
      settings: shop.settings as StackSettings,
      hands: hands(),
      registry: loginOf(nodes.registry),
      secrets: { SHOP_TOKEN: 'a-token' },
      name,
    })
    const { error } = await example.deploy(texts)
    equal(error, undefined, String(error))
    for (const { address } of [nodes.manager, nodes.worker]) {
      match(await (await fetch(`http://${address}:20081/`)).text(), /one of several machines/)
    }
    await example.remove()
  })

  test('R28 R32 is told with its services, tasks and images', async () => {
    const { stacks } = await swarmList.run(hands(), {})
    const found = stacks.find(each => each.stack === world.app)
    deepEqual(
      [found?.owner, found?.services.map(each => [each.name, each.running, each.problem])],
      [
        world.app,
        [
          ['api', 2, null],
          ['web', 2, null],
        ],
      ],
    )
    const tasks = found?.services.flatMap(each => each.tasks) ?? []
    deepEqual(tasks.map(each => `${each.node} ${each.state}`).sort(), [
      'one running',
      'one running',
      'two running',
      'two running',
    ])
    const { images } = await imageList.run(hands(), {})
    ok(images.some(({ tags }) => tags.some(tag => tag.includes(`${world.app}-web`))))
  })

  test('shows what its services print on both machines', async () => {
    const said: string[] = []
    const listening = { ...hands(), say: (text: string) => void said.push(text) }
    const { services } = await swarmLogs.run(listening, { app: world.app, tail: 10, follow: false })
    deepEqual(services.toSorted(), ['api', 'web'])
    deepEqual(
      said.filter(line => line.includes('has begun')),
      ['api | one has begun', 'api | one has begun'],
    )
  })

  test('is not touched when nothing changed', async () => {
    const before = await seen()
    const { plan } = await app.deploy(files(world, { page: 'one' }))
    equal(plan.nothingToDo, true)
    deepEqual(await seen(), before)
  })

  test('gets new secrets and configs by their content, and the old ones go', async () => {
    const [secret] = await things('secret')
    const before = await service('web')
    app.change({}, { TOKEN: 'second-token' })
    const { error, plan } = await app.deploy(files(world, { page: 'one', greeting: 'good day' }))
    equal(error, undefined, String(error))
    deepEqual(
      plan.changes
        .filter(each => each.kind === 'replace' || each.kind === 'untouched')
        .map(each => each.what),
      ['api', 'web'],
    )
    const [left, ...more] = await things('secret')
    deepEqual(more, [])
    ok(left !== secret)
    equal((await things('config')).length, 1)
    equal(await docker('exec', await taskOf('api'), 'cat', '/run/secrets/token'), 'second-token')
    equal((await service('web')).image, before.image)
  })

  test('that never becomes healthy fails with the reason, and the previous release runs', async () => {
    const before = await service('api')
    const { error } = await app.deploy(files(world, { page: 'two', health: 'echo no cheese; exit 1' }))
    ok(SWARM_ROLLED_BACK.matches(error), String(error))
    match(error.message, /"api".*unhealthy container/)
    match(JSON.stringify(error.facts), /two has begun/)
    const back = await service('api')
    deepEqual([back.image, back.configHash, back.isSettled], [before.image, before.configHash, true])
    equal(await page(nodes.manager.address), 'one')
    equal((await app.deploy(files(world, { page: 'one', greeting: 'good day' }))).plan.nothingToDo, true)
  })

  test('that somebody changed by hand is mended, and the plan says so', async () => {
    const look = async () => {
      const { containers, configurations } = await hostObserve.run(hands(), {})
      const own = containers.find(each => each.app === world.app && each.service === 'api')
      return { state: own?.state, replicas: configurations[own?.id ?? '']?.parts?.replicas }
    }
    deepEqual(await look(), { state: 'running', replicas: '2' })
    await docker('service', 'update', '--quiet', '--detach', '--replicas', '1', `${world.app}_api`)
    deepEqual(await look(), { state: 'running', replicas: '1' })
    const { plan, error } = await app.deploy(files(world, { page: 'one', greeting: 'good day' }))
    equal(error, undefined, String(error))
    match(plan.changes.find(each => each.what === 'api')?.why ?? '', /somebody changed it by hand/)
    equal((await service('api')).running, 2)
  })

  test('goes back to an earlier release with its images and secrets', async () => {
    const before = await service('api')
    const { error } = await app.deploy({}, { goal: firstRelease })
    equal(error, undefined, String(error))
    const back = await service('api')
    deepEqual([back.image, back.configHash === before.configHash], [before.image, false])
    equal(await docker('exec', await taskOf('api'), 'cat', '/run/secrets/token'), 'first-token')
  })

  test('is refused where it cannot run, and what runs is not touched', async () => {
    const text = files(world, { page: 'one' })
    const before = await seen()
    const failure = async (doing: Promise<unknown>) => asFairleadError(await doing.catch(error => error))
    const asked = { app: world.app, stack: world.app }
    const alone = await failure(swarmObserve.run(world.hands, asked))
    ok(SWARM_MISSING.matches(alone), String(alone))
    const socket = nodes.worker.socket
    const worker = await failure(swarmObserve.run(world.handsWith({ socket }), asked))
    ok(SWARM_NOT_MANAGED.matches(worker), String(worker))
    const other = await failure(named(`${world.app}-b`, { stack: world.app }).deploy(text))
    ok(SWARM_STACK_TAKEN.matches(other), String(other))
    const unshared = await failure(named(`${world.app}-c`, { push: false }).deploy(text))
    ok(SWARM_IMAGE_NOT_SHARED.matches(unshared), String(unshared))
    const broken = {
      ...text,
      'compose.yaml': 'services:\n  web:\n    image: a:1\n    depends_on: [nobody]\n',
    }
    const invalid = await failure(app.deploy(broken))
    ok(COMPOSE_INVALID.matches(invalid), String(invalid))
    match(invalid.message, /compose\.yaml.*nobody/)
    const registry = { ...loginOf(nodes.registry), address: '127.0.0.1:1' }
    const settings = { environment: { TOKEN: '$TOKEN' }, verify: VERIFY }
    const without = { settings, hands: hands(), registry, secrets: { TOKEN: 't' }, name: `${world.app}-e` }
    const deploying = startTargetApp(world, stack, without).deploy(files(world, { page: 'away' }))
    const away = await failure(deploying.then(({ error }) => error))
    ok(REGISTRY_UNREACHABLE.matches(away), String(away))
    const near = `${world.app}-f`
    await docker('volume', 'create', `${near}_data`)
    const label = 'com.docker.stack.namespace=other'
    await docker('network', 'create', '--driver', 'overlay', '--label', label, `${near}_back`)
    for (const [part, owner] of [
      ['volumes: { data: {} }', /volume.*nothing says/],
      ['networks: { back: {} }', /network.*the stack "other"/],
    ] as const) {
      const use = part.startsWith('volumes') ? 'volumes: ["data:/data"]' : 'networks: [back]'
      const compose = `services:\n  web:\n    image: ${world.base}\n    ${use}\n${part}\n`
      const taken = await failure(named(near, { verify: {} }).deploy({ 'compose.yaml': compose }))
      ok(NAME_TAKEN.matches(taken), String(taken))
      match(taken.message, owner)
    }
    await docker('network', 'rm', `${near}_back`)
    deepEqual(await seen(), before)
  })

  test('leaves nothing behind when its first release never runs', async () => {
    const one = named(`${world.app}-d`, { verify: {} })
    const text = files(world, { page: 'one' })
      ['compose.yaml'].replace(/ports: .*/, 'command: ["false"]')
      .replace('mode: global,', 'mode: global, restart_policy: { delay: 500ms },')
    const { error } = await one.deploy({ ...files(world, { page: 'one' }), 'compose.yaml': text })
    match(String(error), /"web" do not stay up: a task on \w+: task: non-zero exit \(1\)/)
    const left = await docker('service', 'ls', '--format', '{{.Name}}')
    ok(!left.includes(`${world.app}-d`), left)
    const networks = await docker('network', 'ls', '--format', '{{.Name}}')
    ok(!networks.includes(`${world.app}-d`), networks)
  })

  test('moves off a node that is drained, and a deployment meanwhile succeeds', async () => {
    await docker('node', 'update', '--availability', 'drain', 'two')
    const { error } = await app.deploy(files(world, { page: 'four' }))
    equal(error, undefined, String(error))
    const [api, web] = await seen()
    deepEqual([web?.nodes, api?.nodes], [['one'], ['one', 'one']])
    await docker('node', 'update', '--availability', 'active', 'two')
  })

  test('loses a node in the middle of an update, and comes to run on the other', async () => {
    const from = world.said.length
    const updating = app.deploy(files(world, { page: 'five' }))
    let isOver = false
    const over = () => {
      isOver = true
    }
    updating.then(over, over)
    await until(() => isOver || world.said.slice(from).some(line => /update is under way/.test(line)))
    equal(isOver, false)
    await nodes.worker.kill()
    const { error } = await updating
    equal(error, undefined, String(error))
    const [api, web] = await seen()
    deepEqual([web?.nodes, api?.nodes], [['one'], ['one', 'one']])
    equal(await page(nodes.manager.address), 'five')
  })

  test('is taken away with all that belongs to it', async () => {
    await app.remove()
    deepEqual([await things('secret'), await things('config')], [[], []])
    equal(await docker('service', 'ls', '--quiet'), '')
    const networks = await docker('network', 'ls', '--format', '{{.Name}}')
    ok(!networks.includes(world.app), networks)
  })

  test('X01 leaves volumes that nobody else gets with its name, also on nodes that nobody can ask', async () => {
    const name = `${world.app}-g`
    const service = 'services:\n  web:\n    build: web\n    init: true\n    stop_grace_period: 1s\n'
    const compose = `${service}    volumes: ["data:/data"]\nvolumes: { data: {} }\n`
    const text = { ...files(world, { page: 'five' }), 'compose.yaml': compose }
    const first = named(name, { verify: {} })
    const { error } = await first.deploy(text)
    equal(error, undefined, String(error))
    // With its volume of this node; the other node may have one too.
    await first.remove()
    equal(await docker('volume', 'ls', '--quiet', '--filter', `name=${name}`), '')
    const other = named(`${world.app}-h`, { stack: name, verify: {} })
    const taken = asFairleadError(await other.deploy(text).catch(each => each))
    ok(NAME_TAKEN.matches(taken), String(taken))
    match(taken.message, new RegExp(`the app "${name}"`))
  })
})

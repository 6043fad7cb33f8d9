import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { freePort } from '#cli/demo/free-port.ts'
import type { DeploymentDetail } from '#contract/rest/deployments.ts'
import { fakeServer, forwarded } from './world/fake-git-server.ts'
import { type StuckRegistry, stickRegistry } from './world/stuck-registry.ts'
import { type Remote, type System, startSystem } from './world/system.ts'
import { assertNothingLeft, processesWith, type Traces, tracesOf, until } from './world/traces.ts'

/** Every step hangs once until its deadline and once until somebody cancels; nothing may be left, nobody else may notice. */
const stack = new AsyncDisposableStack()
const APP = `late-${process.pid}`
const COMPOSE = `late-compose-${process.pid}`
const OTHER = `late-other-${process.pid}`
/** In the command lines of what hangs: nothing else on the machine has it. */
const MARK = String(100_000 + (process.pid % 100_000))
/** Steps that are limited get this; long enough to get stuck in, even on a machine with much else to do. */
const LIMIT = '10s'
/** Ignores SIGTERM, and serves all the same. */
const STUBBORN = `CMD ["sh", "-c", "trap '' TERM; httpd -p 8080 -h /www; while :; do sleep 1; done"]\n`
let system: System
let registry: StuckRegistry
let remotes: Readonly<Record<string, Remote>>
let version = 0

before(async () => {
  system = await startSystem(stack)
  registry = await stickRegistry(stack, system)
  remotes = {
    [APP]: await system.addRepository(APP, files(APP)),
    [COMPOSE]: await system.addRepository(COMPOSE, composeFiles('first')),
    [OTHER]: await system.addRepository(OTHER, files(OTHER)),
  }
  for (const app of Object.keys(remotes)) {
    succeeded(await system.deploy(app))
  }
})

after(() => stack.disposeAsync())

interface Case {
  readonly what: string
  readonly app: string
  readonly step: string
  /** Makes the next deployment hang, and gives what makes it well again. */
  readonly arrange: () => Promise<(() => Promise<void>) | undefined>
  /** Resolves when it hangs. */
  readonly hangs: () => Promise<boolean>
}

const CASES: readonly Case[] = [
  {
    what: 'a Git server that takes the question for the commit and never answers',
    app: APP,
    step: 'checkout',
    arrange: stickGit,
    hangs: async () => (await processesWith('refs/deploy/')).some(line => line.includes(gitUrl)),
  },
  {
    what: 'a build instruction that sleeps for ever',
    app: APP,
    step: 'build',
    arrange: () => push(APP, files(APP, { build: `RUN echo ${randomUUID()}; sleep ${MARK}\n` })),
    hangs: async () => (await processesWith(`sleep ${MARK}`)).length > 0,
  },
  {
    what: 'a base image whose registry never answers',
    app: APP,
    step: 'build',
    arrange: async () => {
      const base = `${system.registry.address}/nobody/${randomUUID()}:1`
      return stuckAt(/nobody/, { ...files(APP), Dockerfile: `FROM ${base}\n` })
    },
    hangs: async () => registry.stuck > 0,
  },
  {
    what: 'a registry that takes uploads and never answers',
    app: APP,
    step: 'push',
    arrange: () => stuckAt(new RegExp(`^POST /v2/${APP}/.*uploads`), files(APP)),
    hangs: async () => registry.stuck > 0,
  },
  {
    what: 'a container that is never healthy',
    app: APP,
    step: 'apply',
    arrange: () => push(APP, files(APP, { command: `CMD ["sleep", "${MARK}"]\n`, within: '10m' })),
    hangs: async () => (await processesWith(`sleep ${MARK}`)).length > 0,
  },
  {
    what: 'a health check that never ends',
    app: APP,
    step: 'apply',
    arrange: () =>
      push(APP, files(APP, { command: `HEALTHCHECK CMD sleep ${MARK}\n${SERVE}`, within: '10m' })),
    hangs: async () => (await processesWith(`sleep ${MARK}`)).length > 0,
  },
  {
    what: 'a Compose service that is never healthy',
    app: COMPOSE,
    step: 'apply',
    arrange: () => push(COMPOSE, composeFiles(randomUUID(), { check: `sleep ${MARK}` })),
    hangs: async () => (await processesWith(`sleep ${MARK}`)).length > 0,
  },
]

for (const each of CASES) {
  test(`${each.what} is ended at the deadline of the step ${each.step}`, async () => {
    const scene = await sceneOf(each.app)
    await limit(each.app, { [each.step]: LIMIT })
    await hanging(each, async () => {
      const deployment = await system.deploy(each.app)
      assert.equal(deployment.state, 'failed', JSON.stringify(deployment.error))
      assert.equal(deployment.error?.code, 'STEP_TIMED_OUT', JSON.stringify(deployment.error))
      assert.equal(deployment.failed_step, each.step)
      assert.match(deployment.error?.message ?? '', new RegExp(`"${each.step}".*${LIMIT}`))
      assert.match(deployment.error?.hint ?? '', new RegExp(`${each.step}(: |=)…`))
      await nothingIsLeft(each.app, scene)
    })
    await nextSucceeds(each.app)
  })

  test(`${each.what} is ended when the deployment is cancelled in the step ${each.step}`, async () => {
    const scene = await sceneOf(each.app)
    await limit(each.app, {})
    await hanging(each, async () => {
      const id = await request(each.app)
      await until('it hangs', async () => {
        assert.equal((await detail(id)).finished_at, null, JSON.stringify((await detail(id)).error))
        return await each.hangs()
      })
      await nextSucceeds(OTHER)
      await cancel(id)
      const deployment = await ended(id)
      assert.deepEqual([deployment.state, deployment.failed_step], ['cancelled', each.step])
      await nothingIsLeft(each.app, scene)
    })
    await nextSucceeds(each.app)
  })
}

test('A11 a deployment whose own time is up is ended in whatever step it is', async () => {
  const scene = await sceneOf(APP)
  await limit(APP, { deployment: '12s' })
  await push(APP, files(APP, { build: `RUN echo ${randomUUID()}; sleep ${MARK}\n` }))
  const deployment = await system.deploy(APP)
  assert.deepEqual([deployment.state, deployment.failed_step], ['failed', 'build'])
  assert.equal(deployment.error?.code, 'DEPLOYMENT_TIMED_OUT')
  await nothingIsLeft(APP, scene)
  await nextSucceeds(APP)
})

for (const how of ['deadline', 'cancel'] as const) {
  test(`an old container that ignores SIGTERM is killed at the ${how}; the new release serves`, async () => {
    await limit(APP, {})
    await push(APP, files(APP, { command: STUBBORN, settings: ['stop_grace: 10m'] }))
    succeeded(await system.deploy(APP))
    await limit(APP, how === 'deadline' ? { prune: '5s' } : {})
    await push(APP, files(APP))
    const id = await request(APP)
    await until('it stops the old one', async () =>
      (await detail(id)).steps.some(step => step.name === 'prune'),
    )
    if (how === 'cancel') {
      await cancel(id)
    }
    succeeded(await ended(id))
    assert.equal((await tracesOf(system, APP)).containers?.length, 1)
    assert.equal(await visit(APP), `${APP} ${version}`)
  })

  test(`an old container that has to make room and ignores SIGTERM serves again after the ${how}`, async () => {
    await limit(APP, {})
    const settings = ['stop_grace: 10m', `ports: [{ host: ${await freePort()}, container: 8080 }]`]
    await push(APP, files(APP, { command: STUBBORN, settings }))
    succeeded(await system.deploy(APP))
    const { serving } = await sceneOf(APP)
    await limit(APP, how === 'deadline' ? { apply: LIMIT } : {})
    await push(APP, files(APP, { settings }))
    const id = await request(APP)
    await until('it stops the old one', async () => /is stopped first/.test(await system.logOf(id)))
    if (how === 'cancel') {
      await cancel(id)
    }
    assert.equal((await ended(id)).state, how === 'cancel' ? 'cancelled' : 'failed')
    await until('the old one serves again', async () => (await visit(APP)) === serving)
    assert.equal((await tracesOf(system, APP)).containers?.length, 1)
    await nextSucceeds(APP, { prune: '5s' })
    assert.equal((await tracesOf(system, APP)).containers?.length, 1)
  })
}

test('a Compose program that waits for a container which ignores SIGTERM is ended at the deadline and by a cancel', async () => {
  await limit(COMPOSE, {})
  await push(COMPOSE, composeFiles(randomUUID(), { stubborn: randomUUID() }))
  succeeded(await system.deploy(COMPOSE))
  const serving = await visit(COMPOSE)
  for (const how of ['deadline', 'cancel'] as const) {
    await limit(COMPOSE, how === 'deadline' ? { apply: LIMIT } : {})
    await push(COMPOSE, composeFiles(randomUUID(), { stubborn: randomUUID() }))
    const id = await request(COMPOSE)
    await until('Compose waits for the old one', async () =>
      /stubborn.* Recreate/.test(await system.logOf(id)),
    )
    assert.notDeepEqual(await composePrograms(), [])
    if (how === 'cancel') {
      await cancel(id)
    }
    const { state, error } = await ended(id)
    const expected = how === 'cancel' ? ['cancelled', 'DEPLOYMENT_CANCELLED'] : ['failed', 'STEP_TIMED_OUT']
    assert.deepEqual([state, error?.code], expected)
    assert.deepEqual(await composePrograms(), [])
    assert.equal(await visit(COMPOSE), serving)
  }
  await nextSucceeds(COMPOSE)
  assert.equal((await tracesOf(system, COMPOSE)).containers?.length, 1)
})

async function composePrograms(): Promise<readonly string[]> {
  return (await processesWith(COMPOSE)).filter(line => /\bcompose\b.*\bup\b/.test(line))
}

const SERVE = 'CMD ["httpd", "-f", "-p", "8080", "-h", "/www"]\n'
let gitUrl = 'nowhere yet'

/** Forwards everything to the real Git server but the question for a commit. */
async function stickGit(): Promise<() => Promise<void>> {
  const server = system.gitServer
  const folder = join(system.folder, `stuck-git-${randomUUID()}`)
  let looked = false
  const stuck = await fakeServer(stack, folder, async (asked, response, body) => {
    if (body.includes('command=fetch')) {
      return
    }
    const answer = await forwarded({ url: server.url(APP), ca: server.ca }, asked, body)
    const { connection: _, 'transfer-encoding': __, 'keep-alive': ___, ...headers } = answer.headers
    response.writeHead(answer.status, headers).end(answer.body)
    looked ||= body.includes('command=ls-refs')
  })
  gitUrl = new URL(stuck.url).host
  await changeRepository({ url: stuck.url.replace('app.git', `${APP}.git`), ca: stuck.ca })
  // The manager looks at a changed repository by itself: what it finds new, it deploys.
  await until('it has looked', async () => looked)
  await push(APP, files(APP))
  return async () => changeRepository({ url: server.url(APP), ca: server.ca })
}

async function stuckAt(where: RegExp, content: Readonly<Record<string, string>>) {
  await push(APP, content)
  registry.stuckAt = where
  registry.stuck = 0
  return async () => {
    registry.stuckAt = undefined
  }
}

async function push(app: string, content: Readonly<Record<string, string>>): Promise<undefined> {
  await remotes[app]?.push(content)
}

async function hanging(each: Case, run: () => Promise<void>): Promise<void> {
  const mend = await each.arrange()
  try {
    await run()
  } finally {
    await mend?.()
  }
}

interface Scene {
  readonly before: Traces
  readonly serving: string
}

async function sceneOf(app: string): Promise<Scene> {
  const serving = await visit(app)
  assert.notEqual(serving, '')
  return { before: await tracesOf(system, app), serving }
}

async function nothingIsLeft(app: string, scene: Scene): Promise<void> {
  await until('all that it started is gone', async () => (await processesWith(`sleep ${MARK}`)).length === 0)
  assert.deepEqual(await processesWith(gitUrl), [])
  await assertNothingLeft(system, app, scene)
}

async function nextSucceeds(app: string, deadlines: Record<string, string> = {}): Promise<void> {
  await limit(app, deadlines)
  await push(app, app === COMPOSE ? composeFiles(randomUUID()) : files(app))
  const before = await visit(app)
  succeeded(await system.deploy(app))
  assert.notEqual(await visit(app), before)
}

async function cancel(id: string): Promise<void> {
  await system.together().client.send('POST', `/deployments/${id}/cancel`)
}

async function limit(app: string, deadlines: Record<string, string>): Promise<void> {
  const { client } = system.together()
  const { version: known } = await client.get<{ version: number }>(`/apps/${app}`)
  await client.send('PATCH', `/apps/${app}`, { overrides: { deadlines } }, { 'if-match': `"${known}"` })
}

async function changeRepository(change: Record<string, unknown>): Promise<void> {
  const { client } = system.together()
  const { version: known } = await client.get<{ version: number }>(`/repositories/${APP}`)
  const { username, password } = system.gitServer
  const credential = { kind: 'https', username, password }
  await client.send('PATCH', `/repositories/${APP}`, { ...change, credential }, { 'if-match': `"${known}"` })
}

async function request(app: string): Promise<string> {
  return (await system.together().client.send<{ id: string }>('POST', `/apps/${app}/deploy`, {})).id
}

async function detail(id: string): Promise<DeploymentDetail> {
  return await system.together().client.get<DeploymentDetail>(`/deployments/${id}`)
}

async function ended(id: string): Promise<DeploymentDetail> {
  await until('it ended', async () => (await detail(id)).finished_at !== null)
  return await detail(id)
}

function succeeded(deployment: DeploymentDetail): void {
  assert.deepEqual([deployment.error, deployment.state], [null, 'succeeded'])
}

async function visit(app: string): Promise<string> {
  return (await system.visit(`${app}.localhost`)).body
}

function files(app: string, { build = '', command = SERVE, within = '20s', settings = [] as string[] } = {}) {
  version += 1
  return {
    'index.html': `${app} ${version}`,
    Dockerfile: `FROM ${system.baseImage}\nCOPY index.html /www/index.html\n${build}${command}`,
    'fairlead.yaml': deployFile(app, [
      'target: container',
      'port: 8080',
      'drain: 0s',
      `health: { within: ${within} }`,
      ...settings,
    ]),
  }
}

function composeFiles(text: string, { check = 'true', stubborn = '' } = {}) {
  return {
    'index.html': text,
    Dockerfile: `FROM ${system.baseImage}\nCOPY index.html /www/index.html\n${SERVE}`,
    'compose.yaml': `services:
  web:
    build: .
    init: true
    expose: [8080]
    healthcheck: { test: ["CMD-SHELL", "${check}"], interval: 200ms, timeout: 1h }
${stubborn === '' ? '' : stubbornService(stubborn)}`,
    'fairlead.yaml': deployFile(COMPOSE, [
      'target: compose',
      'routes: [{ service: web, port: 8080 }]',
      'verify: { within: 10m }',
    ]),
  }
}

/** Ignores SIGTERM, and has to go before what replaces it may start. */
function stubbornService(text: string): string {
  return `  stubborn:
    image: ${system.baseImage}
    command: ["sh", "-c", "trap '' TERM; while :; do sleep 0.2; done"]
    stop_grace_period: 15s
    labels: { text: "${text}" }
`
}

function deployFile(app: string, settings: readonly string[]): string {
  return ['version: 1', 'apps:', `  ${app}:`, ...settings.map(line => `    ${line}`), ''].join('\n')
}

import { deepEqual, equal, match, notEqual, ok, rejects } from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { composeDown, composeObserve, composeRender, composeRestore, composeUp, composeVerify } from '#commands/compose.ts'
import type { ComposeContainer } from '#commands/compose-data.ts'
import {
  COMPOSE_FILE_MISSING,
  COMPOSE_IMAGE_MISSING,
  COMPOSE_INVALID,
  COMPOSE_NOT_ALLOWED,
  COMPOSE_PORT_TAKEN,
  COMPOSE_PROJECT_TAKEN,
  COMPOSE_SERVICE_EXITED,
  COMPOSE_SERVICE_UNHEALTHY,
} from '#commands/compose-errors.ts'
import { deployedHash } from '#commands/compose-model.ts'
import { systemClock } from '#lib/clock.ts'
import { FairleadError } from '#lib/errors.ts'
import { mustRun } from './world/command.ts'
import { type ContainerWorld, startContainerWorld } from './world/container-world.ts'

describe('a Compose project', () => {
  test('starts under its exact name, routed services at their fixed addresses, and says so', async t => {
    await using stack = new AsyncDisposableStack()
    const world = await startWorld(stack)
    const project = `${world.app}_x`
    const commit = await world.commit({ 'compose.yaml': shop(world, { page: 'one' }) })
    const asked = systemClock.monotonic()
    const rendered = await render(world, { commit, project })
    const drawn = systemClock.monotonic()
    const { services, touched } = await up(world, { project, render: rendered.render })
    t.diagnostic(`compose.render ${(drawn - asked).toFixed(0)} ms, compose.up ${(systemClock.monotonic() - drawn).toFixed(0)} ms`)
    deepEqual(touched, ['db', 'job', 'web'])
    deepEqual(services.map(each => `${each.name} ${each.state} ${each.health}`), [
      `${project}-db-1 running healthy`,
      `${project}-job-1 exited none`,
      `${project}-web-1 running none`,
    ])
    const [slot] = await world.switchboard.slots(`web.${world.app}`)
    equal(services.at(-1)?.ip, slot)
    equal(await page(slot), 'one')
    const verified = await composeVerify.run(world.hands, { project, services: expected(rendered) })
    deepEqual(verified.containers, services)
  })

  test('only the changed service is made anew, and nothing at all when nothing changed', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startWorld(stack)
    const first = await deploy(world, pair(world, 'one'))
    const again = await deploy(world, pair(world, 'one'))
    deepEqual([again.touched, again.render], [[], first.render])
    deepEqual(again.services, first.services)
    const changed = await deploy(world, pair(world, 'two'))
    deepEqual(changed.touched, ['web'])
    const life = (services: readonly ComposeContainer[]) => services.map(({ id, startedAt }) => `${id} ${startedAt}`)
    equal(life(changed.services)[0], life(first.services)[0])
    notEqual(life(changed.services)[1], life(first.services)[1])
    equal(await page(changed.services[1]?.ip ?? ''), 'two')
  })

  test('that is never healthy fails with its check and log, and the previous release comes back', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startWorld(stack)
    const first = await deploy(world, pair(world, 'one'))
    const check = 'healthcheck: { test: ["CMD-SHELL", "echo the cupboard is bare; exit 1"], interval: 200ms, retries: 1 }'
    const failed = await failure(deploy(world, pair(world, 'two', check)))
    ok(COMPOSE_SERVICE_UNHEALTHY.matches(failed), String(failed))
    match(failed.message, /"web".*the cupboard is bare/)
    const back = await composeRestore.run(world.hands, { ...wish(world), render: first.render })
    deepEqual(back.touched, ['web'])
    equal(await page(back.services[1]?.ip ?? ''), 'one')
    equal(back.services[0]?.id, first.services[0]?.id)
    equal(back.services[1]?.configHash, first.services[1]?.configHash)
  })

  test('that ends at once fails with exit code and last lines; a first release leaves nothing behind', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startWorld(stack)
    const text = simple(world, 'command: ["sh", "-c", "echo no cheese left; exit 3"]')
    const failed = await failure(deploy(world, text))
    ok(COMPOSE_SERVICE_EXITED.matches(failed), String(failed))
    match(failed.message, /"web" ended instead of running: exit code 3/)
    deepEqual(failed.facts?.log, ['no cheese left'])
    await composeRestore.run(world.hands, { ...wish(world), render: null })
    deepEqual(await composeObserve.run(world.hands, { project: world.app }), { containers: [] })
  })

  test('that ends again and again is not taken for running', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startWorld(stack)
    const text = simple(world, 'restart: always\n    command: ["sh", "-c", "exit 3"]')
    const failed = await failure(deploy(world, text))
    ok(COMPOSE_SERVICE_EXITED.matches(failed) || COMPOSE_SERVICE_UNHEALTHY.matches(failed), String(failed))
    match(failed.message, /"web"/)
  })

  test('whose dependency fails names the dependency, not the service that waits for it', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startWorld(stack)
    const text = `${simple(world, 'command: [sleep, "100"]\n    depends_on: { job: { condition: service_completed_successfully } }')}
  job: { image: ${world.base}, command: ["sh", "-c", "echo broken; exit 4"] }
`
    const failed = await failure(deploy(world, text))
    ok(COMPOSE_SERVICE_EXITED.matches(failed), String(failed))
    deepEqual([failed.facts?.service, failed.facts?.exitCode, failed.facts?.log], ['job', 4, ['broken']])
  })

  test('that wants a port of the host which is taken says by whom', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startWorld(stack)
    const port = 20_000 + Math.floor(Math.random() * 9_000)
    const other = `${world.app}-other`
    const sleep = ['sh', '-c', 'sleep 100']
    await mustRun('docker', ['run', '-d', '--init', '--name', other, '-p', `127.0.0.1:${port}:1`, world.base, ...sleep], world)
    const text = simple(world, `ports: ["127.0.0.1:${port}:8080"]\n    command: [sleep, "100"]`)
    const failed = await failure(deploy(world, text, { routes: [] }))
    ok(COMPOSE_PORT_TAKEN.matches(failed), String(failed))
    equal(failed.message, `Port ${port} of the host is already taken by the container ${other}.`)
  })

  test('whose image nobody has names the image', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startWorld(stack)
    const failed = await failure(deploy(world, 'services: { web: { image: "127.0.0.1:1/no/such:1" } }'))
    ok(COMPOSE_IMAGE_MISSING.matches(failed), failed.code)
    match(failed.message, /The image 127\.0\.0\.1:1\/no\/such:1 cannot be had/)
  })

  test('of another app is not taken over', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startWorld(stack)
    const { render: hash } = await rendered(world, pair(world, 'one'))
    await up(world, { render: hash })
    const foreign = { ...wish(world), app: `${world.app}x`, render: hash, images: {} }
    await rejects(composeUp.run(world.hands, foreign), COMPOSE_PROJECT_TAKEN.matches)
  })

  test('is taken down with its networks and rendered files; volumes stay unless asked', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startWorld(stack)
    const project = `${world.app}-own-name`
    const text = `${simple(world, 'command: [sleep, "100"]\n    volumes: [data:/data]')}\nvolumes: { data: {} }\n`
    const volumes = async () =>
      (await mustRun('docker', ['volume', 'ls', '--quiet', '--filter', `name=^${project}`], world)).trim()
    await deploy(world, text, { project })
    deepEqual(await composeDown.run(world.hands, { app: world.app, volumes: 'keep' }), { projects: [project] })
    equal(await volumes(), `${project}_data`)
    deepEqual(await composeObserve.run(world.hands, { project }), { containers: [] })
    await deploy(world, text, { project })
    await composeDown.run(world.hands, { app: world.app, volumes: 'delete' })
    equal(await volumes(), '')
    const networks = await mustRun('docker', ['network', 'ls', '--quiet', '--filter', `name=^${project}`], world)
    equal(networks, '')
  })

  test('is repaired when somebody removed a container or took it out of the network', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startWorld(stack)
    const first = await deploy(world, pair(world, 'one'))
    await mustRun('docker', ['network', 'disconnect', '--force', `${world.app}-net`, `${world.app}-web-1`], world)
    await mustRun('docker', ['rm', '--force', `${world.app}-db-1`], world)
    const again = await deploy(world, pair(world, 'one'))
    deepEqual(again.touched, ['db'])
    deepEqual(again.services.map(each => each.ip), first.services.map(each => each.ip))
    equal(await page(again.services[1]?.ip ?? ''), 'one')
  })
})

describe('a rendered Compose project', () => {
  test("C18 C19 knows neither the worker's environment nor an .env of the checkout", async t => {
    await using stack = new AsyncDisposableStack()
    const world = await startWorld(stack)
    process.env.DEPLOY_SECRET = 'of the worker'
    t.after(() => delete process.env.DEPLOY_SECRET)
    const commit = await world.commit({
      'compose.yaml': simple(world, 'command: [sleep, "100"]\n    environment: ["A=x${DEPLOY_SECRET}", DEPLOY_SECRET, "B=${GIVEN}", "C=${FROM_FILE}"]'),
      'other.yaml': 'services: { evil: { image: evil } }',
      '.env': 'COMPOSE_FILE=other.yaml\nCOMPOSE_PROJECT_NAME=other\nFROM_FILE=yes\n',
    })
    const { render: hash, services, warnings } = await render(world, { commit, secrets: { GIVEN: 'sesame-$$-street$' } })
    deepEqual(Object.keys(services), ['web'])
    match(warnings.join(), /DEPLOY_SECRET/)
    await up(world, { render: hash })
    const config = JSON.parse(await mustRun('docker', ['inspect', `${world.app}-web-1`], world))[0].Config
    equal(config.Labels['com.docker.compose.project'], world.app)
    deepEqual(config.Env.filter((line: string) => /^(?:A|B|C|DEPLOY)/.test(line)).sort(), ['A=x', 'B=sesame-$$-street$', 'C='])
    ok(!JSON.stringify(world.said).includes('sesame'))
  })

  test('C01 C07 is checked again after interpolation and merge', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startWorld(stack)
    const commit = await world.commit({
      'compose.yaml': simple(world, 'privileged: ${EVIL}\n    volumes: ["${WHERE}:/x"]'),
    })
    const failed = await failure(render(world, { commit, variables: { EVIL: 'true', WHERE: '/etc' } }))
    ok(COMPOSE_NOT_ALLOWED.matches(failed), String(failed))
    deepEqual(failed.problems?.map(({ path, file, line }) => `${file}:${line} ${path}`), [
      'compose.yaml:6 services.web.privileged',
      'compose.yaml:7 services.web.volumes[0]',
    ])
  })

  test('C16 the rules hold in files that include and extends lead to', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startWorld(stack)
    const commit = await world.commit({
      'compose.yaml': 'include: [sub/more.yaml]\nservices: { web: { extends: { file: base.yaml, service: web } } }',
      'base.yaml': simple(world, 'env_file: [../../outside.env]'),
      'sub/more.yaml': 'services: { more: { image: a, pid: host } }',
    })
    const failed = await failure(render(world, { commit }))
    deepEqual(failed.problems?.map(({ file, path }) => `${file} ${path}`).sort(), [
      'base.yaml services.web.env_file[0]',
      'sub/more.yaml services.more.pid',
    ])
  })

  test('that Compose does not accept is an error with file and line', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startWorld(stack)
    const commit = await world.commit({ 'compose.yaml': simple(world, 'depends_on: [nobody]'), 'two.yaml': 'services: { web: { image: a, restart: [x] } }' })
    const failed = await failure(render(world, { commit }))
    ok(COMPOSE_INVALID.matches(failed), String(failed))
    equal(failed.message, 'Compose does not accept compose.yaml:2: service "web" depends on undefined service "nobody"')
    const other = await failure(render(world, { commit, files: ['two.yaml'] }))
    match(other.message, /two\.yaml:1: services\.web\.restart must be a string/)
    await rejects(render(world, { commit, files: ['none.yaml'] }), COMPOSE_FILE_MISSING.matches)
  })

  test('mounts files by their content: a commit that does not change them touches nothing', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startWorld(stack)
    const text = `${simple(world, 'command: [httpd, "-f", "-p", "8080", "-h", /w]\n    volumes: ["./site:/w"]\n    secrets: [token]')}
secrets: { token: { environment: TOKEN } }
`
    const deployFiles = async (files: Record<string, string>, token = 'hunter-two') => {
      const commit = await world.commit({ 'compose.yaml': text, ...files })
      const { render: hash } = await render(world, { commit, secrets: { TOKEN: token } })
      return up(world, { render: hash })
    }
    const first = await deployFiles({ 'site/index.html': 'one' })
    equal(await page(first.services[0]?.ip ?? ''), 'one')
    equal(await mustRun('docker', ['exec', `${world.app}-web-1`, 'cat', '/run/secrets/token'], world), 'hunter-two')
    await rejects(mustRun('docker', ['exec', `${world.app}-web-1`, 'touch', '/w/x'], world))
    deepEqual((await deployFiles({ README: 'something else' })).touched, [])
    const changed = await deployFiles({ 'site/index.html': 'two' })
    deepEqual([changed.touched, await page(changed.services[0]?.ip ?? '')], [['web'], 'two'])
    deepEqual((await deployFiles({}, 'hunter-three')).touched, ['web'])
    const failed = await failure(deploy(world, simple(world, 'volumes: ["./missing:/x"]')))
    match(failed.message, /POL015 services\.web\.volumes\[0\]: "missing" is not in the repository/)
  })

  test('a service name of another app does not answer in this one', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startWorld(stack)
    await deploy(world, pair(world, 'one'))
    const other = `${world.app}-b`
    await deploy(world, simple(world, 'command: [sleep, "100"]').replace('  web:', '  api:'), {
      project: other,
      routes: [{ service: 'api', port: 1 }],
    })
    const asked = await mustRun('docker', ['exec', `${world.app}-web-1`, 'sh', '-c', 'nslookup api; nslookup db; true'], world)
    match(asked, /can't find api/)
    match(asked, /Name:\s+db/)
  })

  test('is kept where only the worker can read it', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startWorld(stack)
    const { render: hash } = await rendered(world, pair(world, 'one'))
    const folder = join(world.hands.host.workspace, 'renders', world.app)
    const listed = await mustRun('stat', ['--format=%a', folder, join(folder, `${hash}.json`)], world)
    equal(listed, '700\n600\n')
    ok((await readFile(join(folder, `${hash}.json`), 'utf8')).startsWith('{'))
  })
})

async function rendered(world: ContainerWorld, text: string, changes: Partial<RenderChanges> = {}) {
  const commit = await world.commit({ 'compose.yaml': text })
  return render(world, { commit, ...changes })
}

/** Renders and starts, as the plan of a deployment does. */
async function deploy(world: ContainerWorld, text: string, changes: Partial<RenderChanges> = {}) {
  const { render: hash } = await rendered(world, text, changes)
  return up(world, { render: hash, ...(changes.project ? { project: changes.project } : {}) })
}

async function failure(doing: Promise<unknown>): Promise<FairleadError> {
  try {
    await doing
  } catch (error) {
    if (error instanceof FairleadError) {
      return error
    }
    throw error
  }
  throw new Error('nothing failed')
}

function wish(world: ContainerWorld) {
  return { app: world.app, project: world.app, withinMs: 30_000, settleMs: 300, registries: [] }
}

interface RenderChanges {
  readonly commit: string
  readonly project?: string
  readonly files?: string[]
  readonly variables?: Record<string, string>
  readonly secrets?: Record<string, string>
  readonly routes?: { service: string; port: number }[]
}

async function render(world: ContainerWorld, changes: RenderChanges) {
  return composeRender.run(world.hands, {
    app: world.app,
    project: world.app,
    repository: 'shop',
    files: ['compose.yaml'],
    variables: {},
    secrets: {},
    routes: [{ service: 'web', port: 8080 }],
    ...changes,
  })
}

async function up(world: ContainerWorld, changes: { render: string; project?: string; settleMs?: number; withinMs?: number }) {
  return composeUp.run(world.hands, {
    app: world.app,
    project: world.app,
    images: {},
    withinMs: 30_000,
    settleMs: 300,
    registries: [],
    ...changes,
  })
}

function expected(rendered: Awaited<ReturnType<typeof render>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(rendered.services).map(([name, service]) => [name, deployedHash(service, undefined)]),
  )
}

/** Three services: one with a route, one with a health check, and one that ends when its work is done. */
function shop({ base }: ContainerWorld, { page, more = '' }: { page: string; more?: string }): string {
  return `
services:
  web:
    image: ${base}
    init: true
    command: ["sh", "-c", "mkdir -p /tmp/w && echo -n ${page} > /tmp/w/index.html && exec httpd -f -p 8080 -h /tmp/w"]
    expose: [8080]
    ${more}
  db:
    image: ${base}
    init: true
    command: [sleep, "1000"]
    healthcheck: { test: ["CMD", "true"], interval: 200ms }
  job:
    image: ${base}
    command: ["true"]
`
}

function pair(world: ContainerWorld, page: string, more = ''): string {
  return shop(world, { page, more }).replace(/  job:[^]*/, '')
}

/** One service with a line more, at the sixth line of the file. */
function simple({ base }: ContainerWorld, more: string): string {
  return `services:
  web:
    image: ${base}
    init: true
    expose: [8080]
    ${more}
`
}

async function page(ip: string): Promise<string> {
  const answer = await fetch(`http://${ip}:8080/`)
  return answer.text()
}

/** A world that also takes the networks and containers of Compose with it. */
async function startWorld(stack: AsyncDisposableStack): Promise<ContainerWorld> {
  const world = await startContainerWorld(stack)
  stack.defer(() => removeProjects(world))
  return world
}

async function removeProjects({ app, folder }: ContainerWorld): Promise<void> {
  const docker = async (...args: string[]) => (await mustRun('docker', args, { folder })).split(/\s+/).filter(Boolean)
  for (const [kind, list, remove] of [
    ['name', ['ps', '--all'], ['rm', '--force', '--volumes']],
    ['name', ['network', 'ls'], ['network', 'rm']],
    ['name', ['volume', 'ls'], ['volume', 'rm', '--force']],
  ] as const) {
    const found = await docker(...list, '--quiet', '--filter', `${kind}=^${app}`)
    if (found.length > 0) {
      await docker(...remove, ...found)
    }
  }
}

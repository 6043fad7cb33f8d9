import { deepEqual, equal, match, notEqual, ok, rejects } from 'node:assert/strict'
import { describe, test } from 'node:test'
import { composeDown, composeObserve, composeRestore, composeUp, composeVerify } from '#commands/compose.ts'
import type { ComposeContainer } from '#commands/compose-data.ts'
import {
  COMPOSE_IMAGE_MISSING,
  COMPOSE_PORT_TAKEN,
  COMPOSE_PROJECT_TAKEN,
  COMPOSE_SERVICE_EXITED,
  COMPOSE_SERVICE_UNHEALTHY,
  NAME_TAKEN,
} from '#commands/compose-errors.ts'
import { systemClock } from '#lib/clock.ts'
import { mustRun } from './world/command.ts'
import {
  deploy,
  expected,
  failure,
  page,
  pair,
  render,
  rendered,
  shop,
  simple,
  startComposeWorld,
  up,
  wish,
} from './world/compose-world.ts'
import type { ContainerWorld } from './world/container-world.ts'

describe('a Compose project', () => {
  test('R44 R83 starts under its exact name, routed services at their fixed addresses, and says so', async t => {
    await using stack = new AsyncDisposableStack()
    const world = await startComposeWorld(stack)
    const project = `${world.app}_x`
    const commit = await world.commit({ 'compose.yaml': shop(world, { page: 'one' }) })
    const asked = systemClock.monotonic()
    const rendered = await render(world, { commit, project })
    const drawn = systemClock.monotonic()
    const { services, touched } = await up(world, { project, render: rendered.render })
    t.diagnostic(
      `compose.render ${(drawn - asked).toFixed(0)} ms, compose.up ${(systemClock.monotonic() - drawn).toFixed(0)} ms`,
    )
    deepEqual(touched, ['db', 'job', 'web'])
    deepEqual(
      services.map(each => `${each.name} ${each.state} ${each.health}`),
      [`${project}-db-1 running healthy`, `${project}-job-1 exited none`, `${project}-web-1 running none`],
    )
    const [slot] = await world.switchboard.slots(`web.${world.app}`)
    equal(services.at(-1)?.ip, slot)
    equal(await page(slot), 'one')
    const verified = await composeVerify.run(world.hands, {
      project,
      services: expected(rendered),
      mustRun: ['web'],
      replaced: [],
    })
    deepEqual(verified.containers, services)
    const alike = `${simple(world, 'networks: [x_default]')}networks: { x_default: {} }\n`
    const other = await world.commit({ 'compose.yaml': alike })
    const taken = await failure(render(world, { commit: other, routes: [] }))
    ok(NAME_TAKEN.matches(taken), String(taken))
    match(
      taken.message,
      new RegExp(`network "${project}_default" belongs to the Compose project "${project}"`),
    )
  })

  test('only the changed service is made anew, and nothing at all when nothing changed', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startComposeWorld(stack)
    const first = await deploy(world, pair(world, 'one'))
    const again = await deploy(world, pair(world, 'one'))
    deepEqual([again.touched, again.render], [[], first.render])
    deepEqual(again.services, first.services)
    const changed = await deploy(world, pair(world, 'two'))
    deepEqual(changed.touched, ['web'])
    const life = (services: readonly ComposeContainer[]) =>
      services.map(({ id, startedAt }) => `${id} ${startedAt}`)
    equal(life(changed.services)[0], life(first.services)[0])
    notEqual(life(changed.services)[1], life(first.services)[1])
    equal(await page(changed.services[1]?.ip ?? ''), 'two')
  })

  test('that is never healthy fails with its check and log, and the previous release comes back', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startComposeWorld(stack)
    const first = await deploy(world, pair(world, 'one'))
    const check =
      'healthcheck: { test: ["CMD-SHELL", "echo the cupboard is bare; exit 1"], interval: 200ms, retries: 1 }'
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
    const world = await startComposeWorld(stack)
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
    const world = await startComposeWorld(stack)
    const text = simple(world, 'restart: always\n    command: ["sh", "-c", "exit 3"]')
    const failed = await failure(deploy(world, text))
    ok(COMPOSE_SERVICE_EXITED.matches(failed) || COMPOSE_SERVICE_UNHEALTHY.matches(failed), String(failed))
    match(failed.message, /"web"/)
  })

  test('whose dependency fails names the dependency, not the service that waits for it', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startComposeWorld(stack)
    const text = `${simple(world, 'command: [sleep, "100"]\n    depends_on: { job: { condition: service_completed_successfully } }')}
  job: { image: ${world.base}, command: ["sh", "-c", "echo broken; exit 4"] }
`
    const failed = await failure(deploy(world, text))
    ok(COMPOSE_SERVICE_EXITED.matches(failed), String(failed))
    deepEqual([failed.facts?.service, failed.facts?.exitCode, failed.facts?.log], ['job', 4, ['broken']])
  })

  test('that wants a port of the host which is taken says by whom', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startComposeWorld(stack)
    const port = 20_000 + Math.floor(Math.random() * 9_000)
    const other = `${world.app}-other`
    const sleep = ['sh', '-c', 'sleep 100']
    await mustRun(
      'docker',
      ['run', '-d', '--init', '--name', other, '-p', `127.0.0.1:${port}:1`, world.base, ...sleep],
      world,
    )
    const text = simple(world, `ports: ["127.0.0.1:${port}:8080"]\n    command: [sleep, "100"]`)
    const failed = await failure(deploy(world, text, { routes: [] }))
    ok(COMPOSE_PORT_TAKEN.matches(failed), String(failed))
    equal(failed.message, `Port ${port} of the host is already taken by the container ${other}.`)
  })

  test('whose image nobody has names the image', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startComposeWorld(stack)
    const failed = await failure(deploy(world, 'services: { web: { image: "127.0.0.1:1/no/such:1" } }'))
    ok(COMPOSE_IMAGE_MISSING.matches(failed), failed.code)
    match(failed.message, /The image 127\.0\.0\.1:1\/no\/such:1 cannot be had/)
  })

  test('that is cancelled while it waits ends at once, and the previous release comes back', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startComposeWorld(stack)
    const first = await deploy(world, pair(world, 'one'))
    const check = 'healthcheck: { test: ["CMD", "false"], interval: 100s }'
    const { render: hash } = await rendered(world, pair(world, 'two', check))
    const hands = world.handsWith({})
    const doing = composeUp
      .run(hands, { ...wish(world), render: hash, images: {}, beside: [] })
      .then(String, String)
    await untilRunning(world, first.services)
    hands.cancel()
    // In a pause between two looks it is the pause that is ended.
    match(await doing, /cancelled|aborted/i)
    const back = await composeRestore.run(world.hands, { ...wish(world), render: first.render })
    deepEqual([back.touched, await page(back.services[1]?.ip ?? '')], [['web'], 'one'])
  })

  test('of another app is not taken over', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startComposeWorld(stack)
    const { render: hash } = await rendered(world, pair(world, 'one'))
    await up(world, { render: hash })
    const foreign = { ...wish(world), app: `${world.app}x`, render: hash, images: {}, beside: [] }
    await rejects(composeUp.run(world.hands, foreign), COMPOSE_PROJECT_TAKEN.matches)
  })

  test('is taken down with its networks and rendered files; volumes stay unless asked', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startComposeWorld(stack)
    const project = `${world.app}-own-name`
    const text = `${simple(world, 'command: [sleep, "100"]\n    volumes: [data:/data]')}\nvolumes: { data: {} }\n`
    const volumes = async () =>
      (await mustRun('docker', ['volume', 'ls', '--quiet', '--filter', `name=^${project}`], world)).trim()
    await deploy(world, text, { project, routes: [] })
    deepEqual(await composeDown.run(world.hands, { app: world.app, volumes: 'keep' }), {
      projects: [project],
    })
    equal(await volumes(), `${project}_data`)
    const other = { ...world, app: `${world.app}x` }
    await rejects(rendered(other, text, { project, routes: [] }), NAME_TAKEN.matches)
    deepEqual(await composeObserve.run(world.hands, { project }), { containers: [] })
    await deploy(world, text, { project, routes: [] })
    await composeDown.run(world.hands, { app: world.app, volumes: 'delete' })
    equal(await volumes(), '')
    const networks = await mustRun(
      'docker',
      ['network', 'ls', '--quiet', '--filter', `name=^${project}`],
      world,
    )
    equal(networks, '')
  })

  test('is repaired when somebody removed a container or took it out of the network', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startComposeWorld(stack)
    const first = await deploy(world, pair(world, 'one'))
    await mustRun(
      'docker',
      ['network', 'disconnect', '--force', `${world.app}-net`, `${world.app}-web-1`],
      world,
    )
    await mustRun('docker', ['rm', '--force', `${world.app}-db-1`], world)
    const again = await deploy(world, pair(world, 'one'))
    deepEqual(again.touched, ['db'])
    deepEqual(
      again.services.map(each => each.ip),
      first.services.map(each => each.ip),
    )
    equal(await page(again.services[1]?.ip ?? ''), 'one')
  })
})

/** Resolves when the project's last service runs in another container than before. */
async function untilRunning(world: ContainerWorld, before: readonly ComposeContainer[]): Promise<void> {
  for (;;) {
    const { containers } = await composeObserve.run(world.hands, { project: world.app })
    const web = containers.at(-1)
    if (web?.state === 'running' && web.id !== before.at(-1)?.id) {
      return
    }
    await systemClock.sleep(50)
  }
}

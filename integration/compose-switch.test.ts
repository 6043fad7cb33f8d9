import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { describe, test } from 'node:test'
import { composeObserve } from '#commands/compose.ts'
import { COMPOSE_SERVICE_UNHEALTHY } from '#commands/compose-errors.ts'
import { CONTAINER_NOT_STEADY } from '#commands/container-errors.ts'
import { systemClock } from '#lib/clock.ts'
import type { ComposeSettings } from '#targets/compose-settings.ts'
import { mustRun } from './world/command.ts'
import { startComposeApp, withProxy } from './world/compose-app.ts'
import { startComposeWorld } from './world/compose-world.ts'
import type { ContainerWorld } from './world/container-world.ts'
import { type Load, startLoad } from './world/load.ts'

/** Each has an engine's worth of its own, and mostly waits. */
describe('a routed service of a Compose project', { concurrency: 3 }, () => {
  test('is replaced ten times under load without one failed request, and stays what Compose would make', async t => {
    await using stack = new AsyncDisposableStack()
    const scene = await startScene(stack)
    const { world, app } = scene
    const first = await app.deploy(project(world, { page: 'release 0' }))
    equal(first.error, undefined)
    const before = await lives(world)
    const load = await scene.load()
    const spans: { page: string; from: number; until: number }[] = []
    const durations: number[] = []
    for (let number = 1; number <= 10; number++) {
      const page = `release ${number}`
      const started = systemClock.monotonic()
      const { plan, error } = await app.deploy(project(world, { page }))
      const from = systemClock.monotonic()
      durations.push(from - started)
      equal(error, undefined)
      deepEqual(
        plan.changes.filter(each => each.kind !== 'route').map(each => `${each.kind} ${each.what}`),
        ['untouched db', 'replace web', 'untouched worker'],
      )
      await untilVisited(load, from)
      spans.push({ page, from, until: systemClock.monotonic() })
    }
    await load.stop()
    deepEqual(load.failures, [])
    for (const { page, from, until } of spans) {
      const during = load.visits.filter(({ startedAt, endedAt }) => startedAt >= from && endedAt <= until)
      ok(during.length > 0, `nobody visited ${page}`)
      deepEqual([...new Set(during.map(({ body }) => body))], [page])
    }
    const after = await lives(world)
    deepEqual([after.db, after.worker], [before.db, before.worker], 'what depends on it was not touched')
    const again = await app.deploy(project(world, { page: 'release 10' }))
    equal(again.plan.nothingToDo, true)
    deepEqual(await composeSays(world), ['db', 'web', 'worker'])
    t.diagnostic(
      `${load.visits.length} requests, 10 releases, each ${durations.map(Math.round).sort((a, b) => a - b)[5]} ms`,
    )
  })

  test('serves on, from the container that it had, while a release fails', async () => {
    await using stack = new AsyncDisposableStack()
    const scene = await startScene(stack)
    const { world, app } = scene
    await app.deploy(project(world, { page: 'good' }))
    const before = await lives(world)
    const load = await scene.load()
    const ill =
      'healthcheck: { test: ["CMD-SHELL", "echo no database; exit 1"], interval: 200ms, retries: 1 }'
    const unhealthy = await app.deploy(project(world, { page: 'ill', web: ill }))
    ok(COMPOSE_SERVICE_UNHEALTHY.matches(unhealthy.error), String(unhealthy.error))
    const other = await app.deploy(project(world, { page: 'fine', db: ['sh', '-c', 'exit 3'] }))
    match(String(other.error), /"db" ended instead of running: exit code 3/)
    app.change({ verify: { within: '5s' } })
    const mute = await app.deploy(project(world, { page: 'mute', program: 'sleep 100' }))
    match(String(mute.error), /nothing listens at port 8080/)
    await load.stop()
    deepEqual(load.failures, [])
    deepEqual([...new Set(load.visits.map(({ body }) => body))], ['good'])
    const after = await lives(world)
    equal(after.web, before.web, 'nothing was started again')
    deepEqual(Object.keys(after), Object.keys(before))
  })

  test('that turns unhealthy while it is watched gives way to the old container, which stood by', async () => {
    await using stack = new AsyncDisposableStack()
    const scene = await startScene(stack, { verify: { within: '15s', settle: '6s' } })
    const { world, app } = scene
    await app.deploy(project(world, { page: 'good' }))
    const before = await lives(world)
    const load = await scene.load()
    const late =
      'healthcheck: { test: ["CMD-SHELL", "test $$(cut -d. -f1 /proc/uptime) -lt $$(cat /tmp/until)"], interval: 500ms, retries: 1 }'
    const { error } = await app.deploy(
      project(world, {
        page: 'late',
        web: late,
        program: 'expr $$(cut -d. -f1 /proc/uptime) + 3 > /tmp/until; exec httpd -f -p 8080 -h /tmp/w',
      }),
    )
    await load.stop()
    ok(CONTAINER_NOT_STEADY.matches(error), String(error))
    deepEqual(load.failures, [])
    deepEqual([...new Set(load.visits.map(({ body }) => body))].sort(), ['good', 'late'])
    equal(load.visits.at(-1)?.body, 'good')
    equal((await lives(world)).web, before.web)
  })

  test('converges when the manager died anywhere on the way', async () => {
    await using stack = new AsyncDisposableStack()
    const scene = await startScene(stack)
    const { world, app } = scene
    await app.deploy(project(world, { page: 'release 0' }))
    const load = await scene.load()
    for (const [number, dieBefore] of ['verify', `route:web.${world.app}`, 'retire'].entries()) {
      const page = `release ${number + 1}`
      await app.deploy(project(world, { page }), { dieBefore })
      equal((await containers(world)).filter(each => each.service === 'web').length, 2, dieBefore)
      const { error } = await app.deploy(project(world, { page }))
      equal(error, undefined, dieBefore)
      equal((await containers(world)).filter(each => each.service === 'web').length, 1, dieBefore)
      equal((await app.deploy(project(world, { page }))).plan.nothingToDo, true)
    }
    // Another commit comes before the first is tried again: what was left of it goes.
    await app.deploy(project(world, { page: 'lost' }), { dieBefore: `route:web.${world.app}` })
    equal((await app.deploy(project(world, { page: 'last' }))).error, undefined)
    equal((await containers(world)).filter(each => each.service === 'web').length, 1)
    await load.stop()
    deepEqual(load.failures, [])
    ok(!load.visits.some(({ body }) => body === 'lost'))
    equal(load.visits.at(-1)?.body, 'last')
  })

  test('starts under another project name while the old project still serves', async () => {
    await using stack = new AsyncDisposableStack()
    const { world, app, load: begin } = await startScene(stack)
    await app.deploy(project(world, { page: 'old name' }))
    const load = await begin()
    app.change({ project: `${world.app}-renamed` })
    equal((await app.deploy(project(world, { page: 'new name' }))).error, undefined)
    await untilVisited(load, systemClock.monotonic())
    await load.stop()
    deepEqual(load.failures, [])
    equal(load.visits.at(-1)?.body, 'new name')
    deepEqual(await containers(world), [])
  })

  test('that runs more than once has all of the old containers until all new ones are well', async () => {
    await using stack = new AsyncDisposableStack()
    const { world, app } = await startScene(stack)
    const scaled = (page: string, program?: string) =>
      project(world, {
        page,
        worker: `scale: 3\n    environment: { PAGE: "${page}" }`,
        ...(program ? { program } : {}),
      })
    await app.deploy(scaled('one'))
    const before = await ids(world, 'worker')
    const failed = await app.deploy(scaled('two', 'exit 3'))
    match(String(failed.error), /"web" ended/)
    deepEqual(await ids(world, 'worker'), before)
    const { plan, error } = await app.deploy(scaled('three'))
    equal(error, undefined)
    equal(plan.changes.find(each => each.what === 'worker')?.kind, 'replace')
    const after = await ids(world, 'worker')
    deepEqual([after.length, after.filter(id => before.includes(id))], [3, []])
  })

  test('that has data is made anew in its place, and the plan says why', async () => {
    await using stack = new AsyncDisposableStack()
    const { world, app } = await startScene(stack)
    const web = 'volumes: [data:/data]'
    await app.deploy(project(world, { page: 'one', web, more: 'volumes: { data: {} }' }))
    const { plan, error } = await app.deploy(
      project(world, { page: 'two', web, more: 'volumes: { data: {} }' }),
    )
    equal(error, undefined)
    const change = plan.changes.find(each => each.what === 'web')
    equal(change?.kind, 'recreate')
    match(change?.why ?? '', /not beside the old one: it has the volume "data"/)
    deepEqual(await containers(world).then(all => all.map(each => each.name)), [
      `${world.app}-db-1`,
      `${world.app}-web-1`,
      `${world.app}-worker-1`,
    ])
  })
})

async function startScene(stack: AsyncDisposableStack, changes: ComposeSettings = {}) {
  const world = await startComposeWorld(stack)
  const { hands, visitors } = await withProxy(stack, world)
  const settings: ComposeSettings = {
    files: ['compose.yaml'],
    routes: [{ service: 'web', port: 8080 }],
    verify: { within: '15s' },
    drain: '5s',
    ...changes,
  }
  const app = startComposeApp(world, { settings, hands })
  stack.defer(app.remove)
  return { world, app, load: async (): Promise<Load> => startLoad(await visitors(`${world.app}.localhost`)) }
}

interface Parts {
  readonly page: string
  /** A line more of web. */
  readonly web?: string
  readonly program?: string
  readonly db?: readonly string[]
  /** Lines more of worker. */
  readonly worker?: string
  readonly more?: string
}

/** web serves a page; worker depends on it, and it depends on db. */
function project({ base }: ContainerWorld, parts: Parts): Record<string, string> {
  const {
    page,
    web = '',
    program = 'exec httpd -f -p 8080 -h /tmp/w',
    db = ['sleep', '1000'],
    worker = '',
    more = '',
  } = parts
  return {
    'compose.yaml': `
services:
  web:
    image: ${base}
    init: true
    stop_grace_period: 2s
    command: ["sh", "-c", "mkdir -p /tmp/w && echo -n ${page} > /tmp/w/index.html && ${program}"]
    depends_on: [db]
    ${web}
  db: { image: "${base}", init: true, command: ${JSON.stringify(db)} }
  worker:
    image: ${base}
    init: true
    command: [sleep, "1000"]
    depends_on: [web]
    ${worker}
${more}
`,
  }
}

/** Resolves when somebody came and went since then. */
async function untilVisited({ visits }: Load, from: number): Promise<void> {
  while (!visits.some(({ startedAt }) => startedAt >= from)) {
    await systemClock.sleep(20)
  }
}

async function ids(world: ContainerWorld, service: string): Promise<string[]> {
  return (await containers(world)).filter(each => each.service === service).map(each => each.id)
}

async function containers(world: ContainerWorld) {
  return (await composeObserve.run(world.hands, { project: world.app })).containers
}

async function lives(world: ContainerWorld): Promise<Record<string, string>> {
  return Object.fromEntries(
    (await containers(world)).map(each => [each.service, `${each.id} ${each.startedAt}`]),
  )
}

/** Services of the project in the eyes of the real client. */
async function composeSays(world: ContainerWorld): Promise<string[]> {
  const text = await mustRun('docker', ['compose', '-p', world.app, 'ps', '--services'], world)
  return text.split('\n').filter(Boolean).sort()
}

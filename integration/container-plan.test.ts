import { deepEqual, equal, rejects } from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Proxy as RunningProxy, startProxy } from '#cli/demo/proxy.ts'
import type { Hands } from '#commands/command.ts'
import { commandNamed } from '#commands/index.ts'
import { ROUTE_NOT_ANSWERING } from '#commands/route-errors.ts'
import { check } from '#lib/check.ts'
import { systemClock } from '#lib/clock.ts'
import { newId } from '#lib/id.ts'
import { fill } from '#manager/pipeline/fill.ts'
import { container } from '#targets/container.ts'
import type { Plan, PlanInput, ReleaseFacts, Tell } from '#targets/target.ts'
import { docker, names } from './world/container-apps.ts'
import { type ContainerWorld, startContainerWorld } from './world/container-world.ts'
import { startLoad, visit } from './world/load.ts'

type Result = Readonly<Record<string, unknown>>

test('an app is deployed, replaced under load without one failed request, and left alone', async t => {
  await using stack = new AsyncDisposableStack()
  const site = await aSite(stack)
  const first = await site.deploy({ page: 'one' })
  equal(first.plan.nothingToDo, false)
  equal((await visit(site.visitor)).body, 'one')

  const load = startLoad([site.visitor, { ...site.visitor, connections: 'kept' }])
  const second = await site.deploy({ page: 'two' })
  deepEqual(
    second.plan.changes.map(change => change.kind),
    ['build', 'recreate', 'image'],
  )
  await systemClock.sleep(300)
  await load.stop()
  deepEqual(load.failures, [])
  const bodies = load.visits.map(({ body }) => body)
  equal(bodies.at(-1), 'two')
  deepEqual([...new Set(bodies.slice(bodies.indexOf('two')))], ['two'])
  equal((await names(site.world)).length, 1)
  t.diagnostic(`${load.visits.length} requests; route and start took ${second.ms.toFixed(0)} ms`)

  const third = await site.deploy({})
  equal(third.plan.nothingToDo, true)
  t.diagnostic(`nothing to do was known after ${third.lookedMs.toFixed(0)} ms`)
})

test('an app that fails at the proxy goes back to what served, and nothing of it is left', async () => {
  await using stack = new AsyncDisposableStack()
  const site = await aSite(stack)
  await site.deploy({ page: 'one' })
  const before = await names(site.world)
  // Answers at first, so that it is taken for ready; then not.
  const crashing = `FROM ${site.world.base}\nCMD timeout 1 httpd -f -p 8080 -h /www; sleep 60\nCOPY page /www/index.html\n`
  await rejects(
    site.deploy({ Dockerfile: crashing, page: 'two' }, { pauseBeforeRoute: 1_500 }),
    ROUTE_NOT_ANSWERING.matches,
  )
  deepEqual(await names(site.world), before)
  equal((await visit(site.visitor)).body, 'one')
})

test('removing an app leaves nothing of it', async () => {
  await using stack = new AsyncDisposableStack()
  const site = await aSite(stack)
  await site.deploy({ page: 'one' })
  await site.tell(container.remove({ app: site.app, volumes: 'delete' }))
  deepEqual(await names(site.world), [])
  equal((await visit(site.visitor)).status, 404)
  equal(
    await docker(site.world, 'images', '--quiet', '--filter', `label=io.fairlead.app=${site.app.name}`),
    '',
  )
})

interface Deployed {
  readonly plan: Plan
  /** From the first command of apply to the end of route. */
  readonly ms: number
  readonly lookedMs: number
}

/** A worker with a proxy and one app; deploy() does what the steps of a deployment do. */
async function aSite(stack: AsyncDisposableStack) {
  const world = await startContainerWorld(stack)
  const proxy = await startProxy({ folder: join(world.folder, 'proxy') })
  stack.defer(proxy.close)
  const hands = withProxy(world, proxy)
  const app = { name: world.app, baseDomain: 'localhost' }
  const visitor = {
    scheme: 'http',
    port: proxy.httpPort,
    host: `${app.name}.localhost`,
    ca: '',
    connections: 'fresh',
  } as const
  await world.commit({
    Dockerfile: `FROM ${world.base}\nCOPY page /www/index.html\nEXPOSE 8080\nCMD ["httpd","-f","-p","8080","-h","/www"]\n`,
    page: '',
  })
  let previous: ReleaseFacts | undefined

  async function tell(
    tells: readonly Tell[],
    results = new Map<string, Result>(),
  ): Promise<Map<string, Result>> {
    for (const { key, command, data } of tells) {
      const { run, data: schema, result } = commandNamed(command)
      const given = check(schema, fill(data, results), command) as Result
      results.set(key, check(result, await run(hands, given), `result of ${command}`) as Result)
    }
    return results
  }

  async function deploy(files: Record<string, string>, { pauseBeforeRoute = 0 } = {}): Promise<Deployed> {
    const commit = await world.commit(files)
    const asked = systemClock.monotonic()
    const input = inputFor({ app, commit, previous })
    const found = Object.fromEntries(await tell(container.look(input)))
    const plan = container.plan({ ...input, found })
    const lookedMs = systemClock.monotonic() - asked
    const results = await tell([...plan.build, ...plan.push])
    const started = systemClock.monotonic()
    try {
      await tell([...plan.apply, ...plan.verify], results)
      await systemClock.sleep(pauseBeforeRoute)
      await tell(plan.route, results)
    } catch (error) {
      await tell(plan.undo)
      throw error
    }
    const ms = systemClock.monotonic() - started
    await tell(plan.prune)
    const configHash = String(plan.release.configHash)
    previous = { id: newId(), commit, configHash, content: fill(plan.release, results) }
    return { plan, ms, lookedMs }
  }

  return { world, app, visitor, tell, deploy }
}

function withProxy(world: ContainerWorld, proxy: RunningProxy): Hands {
  const { hands } = world
  const { adminUrl, httpPort, httpsPort } = proxy
  const { resolver } = world.switchboard
  return {
    ...hands,
    host: { ...hands.host, proxy: { adminOrigin: adminUrl, httpPort, httpsPort, resolver } },
  }
}

function inputFor(
  of: Pick<PlanInput<Record<string, unknown>>, 'app' | 'previous'> & { commit: string },
): PlanInput<Record<string, unknown>> {
  const { app, commit, previous } = of
  return {
    app,
    settings: { port: 8080, drain: '200ms', stop_grace: '1s', health: { within: '10s' } },
    deployment: newId(),
    source: { commit, branch: 'main', repository: 'shop', texts: {}, paths: ['Dockerfile'] },
    found: {},
    registry: undefined,
    secrets: {},
    previous,
  }
}

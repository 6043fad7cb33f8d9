import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { ask } from '#cli/demo/ask.ts'
import { startProcess } from '#cli/demo/background-process.ts'
import { drain } from '#commands/drain.ts'
import { routeObserve, routePoint, routeRemove } from '#commands/route.ts'
import { DOMAIN_TAKEN, PROXY_UNREACHABLE, ROUTE_NOT_ANSWERING } from '#commands/route-errors.ts'
import { systemClock } from '#lib/clock.ts'
import { openRequests, writeConfig } from '#programs/caddy.ts'
import type { ContainerFacts } from '#programs/docker-containers.ts'
import { type Page, startLoad, type Visitor, visit } from './world/load.ts'
import {
  pidOfProgramWith,
  type RoutedWorld,
  startRoutedWorld,
  startSilentUpstream,
  startUpstream,
} from './world/routed.ts'

const HOST = 'shop.localhost'

describe('routes', () => {
  test('switch under load without one failed request, over kept and fresh connections, HTTP and HTTPS', async t => {
    await using world = new AsyncDisposableStack()
    const routed = await startRoutedWorld(world)
    const slots = await routed.switchboard.slots('shop')
    let serving = await startUpstream(slots[0], routed.port, 'release 0')
    await pointTo(routed, 0, slots[0])
    const load = startLoad(await visitorsOf(routed))
    const switches: { content: string; from: number; until: number }[] = []
    const durations: number[] = []
    for (let number = 1; number <= 10; number++) {
      const slot = number % 2 === 0 ? slots[0] : slots[1]
      const next = await startUpstream(slot, routed.port, `release ${number}`)
      const started = systemClock.monotonic()
      const result = await pointTo(routed, number, slot)
      const from = systemClock.monotonic()
      durations.push(from - started)
      equal(result.previous, `deployment-${number - 1}`)
      // The drain of a deployment: what was under way in the old container ends before it does.
      await drain(routed.hands, [containerAt(number % 2 === 0 ? slots[1] : slots[0])], 5_000)
      await serving.close()
      serving = next
      await systemClock.sleep(400)
      switches.push({ content: `release ${number}`, from, until: systemClock.monotonic() })
    }
    await load.stop()
    await serving.close()

    deepEqual(load.failures, [])
    for (const { content, from, until } of switches) {
      const during = load.visits.filter(({ startedAt, endedAt }) => startedAt >= from && endedAt <= until)
      ok(during.length > 0, `nobody visited ${content}`)
      deepEqual([...new Set(during.map(({ body }) => body))], [content])
    }
    durations.sort((a, b) => a - b)
    const median = durations[5]?.toFixed(0)
    t.diagnostic(
      `${load.visits.length} requests, 10 switches, told to proved: median ${median} ms under load`,
    )
  })

  test('leave a container a request that it still answers after a switch, and not longer than that', async () => {
    await using world = new AsyncDisposableStack()
    const routed = await startRoutedWorld(world)
    const slots = await routed.switchboard.slots('shop')
    const later = Promise.withResolvers<string>()
    const old = await startUpstream(slots[0], routed.port, 'old', later.promise)
    const next = await startUpstream(slots[1], routed.port, 'new')
    world.defer(next.close)
    await pointTo(routed, 1, slots[0])
    const slow = visit({ ...plainVisitor(routed), path: '/slow' })
    const { adminUrl } = routed.proxy
    const open = async () => (await routed.hands.perform(openRequests(adminUrl)))?.get(slots[0]) ?? 0
    while ((await open()) === 0) {
      await systemClock.sleep(10)
    }
    await pointTo(routed, 2, slots[1])
    let isDrained = false
    const drained = drain(routed.hands, [containerAt(slots[0])], 60_000).then(() => {
      isDrained = true
    })
    await systemClock.sleep(1_000)
    equal(isDrained, false)
    equal((await seen(routed)).body, 'new')
    later.resolve('late')
    equal((await slow).body, 'late')
    await drained
    equal(await open(), 0)
    await old.close()
  })

  test('need no change of the proxy for a switch', async () => {
    await using world = new AsyncDisposableStack()
    const routed = await startRoutedWorld(world)
    const slots = await upstreams(world, routed)
    await pointTo(routed, 1, slots[0])
    const before = await ask(`${routed.proxy.adminUrl}/config/`)
    const changes = await changesOf(routed)
    equal((await pointTo(routed, 2, slots[1])).switched, true)
    equal((await pointTo(routed, 2, slots[1])).switched, false)
    equal((await ask(`${routed.proxy.adminUrl}/config/`)).body, before.body)
    equal(await changesOf(routed), changes)
  })

  test('let visitors wait, and not fail, while the port of an app changes', async () => {
    await using world = new AsyncDisposableStack()
    const routed = await startRoutedWorld(world)
    const slots = await routed.switchboard.slots('shop')
    const old = await startUpstream(slots[0], routed.port, 'old port')
    world.defer(old.close)
    await pointTo(routed, 1, slots[0])
    const load = startLoad((await visitorsOf(routed)).filter(({ connections }) => connections === 'fresh'))
    const otherPort = routed.port === 18_080 ? 18_081 : 18_080
    const next = await startUpstream(slots[1], otherPort, 'new port')
    world.defer(next.close)
    await pointTo({ ...routed, port: otherPort }, 2, slots[1])
    await load.stop()
    // The reload itself may cut a connection that was just being opened; an answer of the proxy's own is never one.
    deepEqual(
      load.failures.filter(failure => failure.includes('status')),
      [],
    )
    equal((await seen(routed)).body, 'new port')
  })

  test('outlive a killed proxy that is started with --resume', async () => {
    await using world = new AsyncDisposableStack()
    const routed = await startRoutedWorld(world)
    const slots = await upstreams(world, routed)
    await pointTo(routed, 1, slots[1])
    const folder = join(routed.folder, 'proxy')
    process.kill(await pidOfProgramWith(join(folder, 'caddy.json')), 'SIGKILL')
    await rejects(seen(routed))
    await rejects(routeObserve.run(routed.hands, { names: ['shop'] }), PROXY_UNREACHABLE.matches)
    await rejects(pointTo(routed, 2, slots[0]), PROXY_UNREACHABLE.matches)
    deepEqual(routed.switchboard.current('shop'), { ip: slots[1], deployment: 'deployment-1' })

    const resumed = await startProcess({
      program: 'caddy',
      args: ['run', '--resume'],
      folder,
      logFile: join(folder, 'resumed.log'),
      env: { XDG_DATA_HOME: join(folder, 'data'), XDG_CONFIG_HOME: join(folder, 'config') },
      ready: () =>
        seen(routed).then(
          ({ status }) => status === 200,
          () => false,
        ),
    })
    world.defer(resumed.close)
    equal((await seen(routed)).body, `from ${slots[1]}`)
    equal((await pointTo(routed, 2, slots[0])).previous, 'deployment-1')
  })

  test('lead on to the container that runs while the worker is down', async () => {
    await using world = new AsyncDisposableStack()
    const routed = await startRoutedWorld(world)
    const slots = await routed.switchboard.slots('shop')
    const only = await startUpstream(slots[1], routed.port, 'still here')
    await pointTo(routed, 1, slots[1])
    const load = startLoad(await visitorsOf(routed))
    await systemClock.sleep(300)
    await routed.switchboard.close()
    await systemClock.sleep(1_500)
    await load.stop()
    await only.close()
    deepEqual(load.failures, [])
    deepEqual([...new Set(load.visits.map(({ body }) => body))], ['still here'])
  })

  test('go back to the previous container when the new one never answers', async () => {
    await using world = new AsyncDisposableStack()
    const routed = await startRoutedWorld(world)
    const slots = await routed.switchboard.slots('shop')
    const old = await startUpstream(slots[0], routed.port, 'old and good')
    world.defer(old.close)
    const mute = await startSilentUpstream(slots[1], routed.port)
    world.defer(mute.close)
    await pointTo(routed, 1, slots[0])
    await rejects(pointTo(routed, 2, slots[1], { withinMs: 700 }), error => {
      ok(ROUTE_NOT_ANSWERING.matches(error))
      equal(error.facts?.upstream, `${slots[1]}:${routed.port}`)
      return true
    })
    deepEqual(routed.switchboard.current('shop'), { ip: slots[0], deployment: 'deployment-1' })
    equal((await seen(routed)).body, 'old and good')
  })

  test('of a first deployment that fails leave nothing behind', async () => {
    await using world = new AsyncDisposableStack()
    const routed = await startRoutedWorld(world)
    const [slot] = await upstreams(world, routed)
    const before = await ask(`${routed.proxy.adminUrl}/config/apps/http`)
    const failed = pointTo(routed, 1, slot, { expect: [204], withinMs: 300 })
    await rejects(failed, /status 200 is not the expected one; it says: from 127/)
    equal((await ask(`${routed.proxy.adminUrl}/config/apps/http`)).body, before.body)
    equal(routed.switchboard.current('shop'), undefined)
    equal((await seen(routed)).status, 404)
  })

  test('tell nobody without the token which container answers', async () => {
    await using world = new AsyncDisposableStack()
    const routed = await startRoutedWorld(world)
    const [slot] = await upstreams(world, routed)
    await pointTo(routed, 1, slot)
    const { status, headers } = await seen(routed)
    equal(status, 200)
    ok(!JSON.stringify(headers).includes('127.'), JSON.stringify(headers))
  })

  test('refuse a host that leads to another app, and free it with the app', async () => {
    await using world = new AsyncDisposableStack()
    const routed = await startRoutedWorld(world)
    const [slot] = await upstreams(world, routed)
    await pointTo(routed, 1, slot)
    const other = { name: 'other', hosts: [HOST], port: routed.port, deployment: 'deployment-9', ip: slot }
    await rejects(routePoint.run(routed.hands, other), DOMAIN_TAKEN.matches)
    equal((await seen(routed)).body, `from ${slot}`)

    deepEqual(await routeObserve.run(routed.hands, { names: ['shop', 'other'] }), {
      routes: {
        shop: { hosts: [HOST], port: routed.port, ip: slot, deployment: 'deployment-1' },
        other: null,
      },
    })
    deepEqual(await routeRemove.run(routed.hands, { name: 'shop' }), { removed: true })
    deepEqual(await routeRemove.run(routed.hands, { name: 'shop' }), { removed: false })
    equal((await seen(routed)).status, 404)
    equal((await routePoint.run(routed.hands, other)).switched, true)
  })

  test('of twenty apps that are deployed at once are all there', async () => {
    await using world = new AsyncDisposableStack()
    const routed = await startRoutedWorld(world)
    const [slot] = await upstreams(world, routed)
    const names = Array.from({ length: 20 }, (_, number) => `app-${number}`)
    await Promise.all(
      names.map(name =>
        routePoint.run(routed.hands, {
          name,
          hosts: [`${name}.localhost`],
          port: routed.port,
          deployment: 'deployment-1',
          ip: slot,
        }),
      ),
    )
    const { routes } = await routeObserve.run(routed.hands, { names })
    ok(names.every(name => routes[name]?.hosts[0] === `${name}.localhost`))
    const policies = await ask(`${routed.proxy.adminUrl}/id/fairlead-internal`)
    match(policies.body, /"app-0\.localhost".*"app-9\.localhost"/)
  })

  test('are made in a proxy whose configuration is empty', async () => {
    await using world = new AsyncDisposableStack()
    const routed = await startRoutedWorld(world)
    const [slot] = await upstreams(world, routed)
    await emptyConfiguration(routed)
    equal((await pointTo(routed, 1, slot)).answers.length, 2)
    equal((await seen(routed)).body, `from ${slot}`)
  })
})

function pointTo(
  { hands, port }: RoutedWorld,
  number: number,
  ip: string,
  probe: { expect?: number[]; withinMs?: number } = {},
) {
  const deployment = `deployment-${number}`
  return routePoint.run(hands, { name: 'shop', hosts: [HOST], port, deployment, ip, probe })
}

/** Ten: HTTP and HTTPS, over connections that are kept and over fresh ones. */
async function visitorsOf({ proxy }: RoutedWorld): Promise<Visitor[]> {
  const ca = await proxy.rootCertificate()
  const http = { scheme: 'http', port: proxy.httpPort, host: HOST, ca } as const
  const https = { scheme: 'https', port: proxy.httpsPort, host: HOST, ca } as const
  const kinds: Visitor[] = [
    { ...http, connections: 'kept' },
    { ...http, connections: 'fresh' },
    { ...https, connections: 'kept' },
    { ...https, connections: 'fresh' },
  ]
  return [...kinds, ...kinds, ...kinds.slice(0, 2)]
}

/** What a visitor sees over HTTP. */
async function seen(routed: RoutedWorld): Promise<Page> {
  return visit(plainVisitor(routed))
}

function plainVisitor({ proxy }: RoutedWorld): Visitor {
  return { scheme: 'http', port: proxy.httpPort, host: HOST, ca: '', connections: 'fresh' }
}

/** What is known of a container that runs at this address. */
function containerAt(address: string): ContainerFacts {
  return { state: 'running', addresses: { fairlead: address } } as unknown as ContainerFacts
}

/** Two containers that answer with their address, until the world ends. */
async function upstreams(
  world: AsyncDisposableStack,
  { switchboard, port }: RoutedWorld,
): Promise<readonly [string, string]> {
  const slots = await switchboard.slots('shop')
  for (const slot of slots) {
    world.defer((await startUpstream(slot, port, `from ${slot}`)).close)
  }
  return slots
}

/** How often the proxy was told to change anything. */
async function changesOf({ proxy }: RoutedWorld): Promise<number> {
  const log = await readFile(proxy.logFile, 'utf8')
  return log.match(/"method":"(?:POST|PUT|PATCH|DELETE)"/g)?.length ?? 0
}

/** Leaves nothing in the proxy but its admin API. */
async function emptyConfiguration({ hands, proxy }: RoutedWorld): Promise<void> {
  const listen = new URL(proxy.adminUrl).host
  const emptied = await hands.perform(
    writeConfig(proxy.adminUrl, { config: { admin: { listen } }, etag: undefined }),
  )
  equal(emptied.status, 200, emptied.reason)
}

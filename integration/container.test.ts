import { deepEqual, equal, notEqual, ok, rejects } from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  containerLogs,
  containerObserve,
  containerRemove,
  containerStart,
  containerVerify,
} from '#commands/container.ts'
import {
  CONTAINER_EXITED,
  CONTAINER_NOT_FOUND,
  PORT_REFUSED,
  VOLUME_TAKEN,
} from '#commands/container-errors.ts'
import { containerUsage } from '#commands/container-usage.ts'
import { IMAGE_NOT_FOUND, IMAGE_REGISTRY_REFUSED } from '#commands/image-errors.ts'
import { systemClock } from '#lib/clock.ts'
import { newId } from '#lib/id.ts'
import { mustRun } from './world/command.ts'
import {
  CONFIG,
  crashingImage,
  deploy,
  docker,
  inspect,
  names,
  page,
  startData,
  webImage,
} from './world/container-apps.ts'
import { startContainerWorld } from './world/container-world.ts'
import { until } from './world/traces.ts'

describe('a container', () => {
  test('starts healthy with limits, without privileges, at one of its two addresses', async t => {
    await using stack = new AsyncDisposableStack()
    const world = await startContainerWorld(stack)
    const image = await webImage(world, 'one')
    const data = startData(world, image, { memoryBytes: 64 * 1024 * 1024, cpus: 0.5, readOnly: true })
    const asked = systemClock.monotonic()
    const result = await containerStart.run(world.hands, data)
    t.diagnostic(`container.start: ${(systemClock.monotonic() - asked).toFixed(0)} ms (with a new network)`)
    equal(result.health, 'answering')
    ok((await world.switchboard.slots(world.app)).includes(result.ip))
    equal(await page(result.ip), 'one')
    const made = await inspect(world, result.name)
    deepEqual(made.HostConfig.SecurityOpt, ['no-new-privileges'])
    deepEqual(made.HostConfig.RestartPolicy.Name, 'always')
    deepEqual([made.HostConfig.Memory, made.HostConfig.NanoCpus], [64 * 1024 * 1024, 500_000_000])
    deepEqual([made.HostConfig.Init, made.HostConfig.ReadonlyRootfs], [true, true])
    equal(made.HostConfig.LogConfig.Config['max-size'], '10m')
    equal(made.Config.Labels['io.fairlead.deployment'], data.deployment)
    const { containers, left } = await containerUsage.run(world.hands, { app: world.app })
    const [used] = containers
    deepEqual([containers.length, left, used?.name], [1, 0, result.name])
    equal(used?.memoryLimitBytes, 64 * 1024 * 1024)
    ok(used.memoryBytes > 0 && used.memoryBytes < used.memoryLimitBytes, `${used.memoryBytes} bytes`)
    ok(used.processorNanoseconds > 0)
    await page(result.ip)
    const again = await containerUsage.run(world.hands, { app: world.app })
    ok((again.containers[0]?.readAt ?? 0) >= used.readAt)
    ok((again.containers[0]?.processorNanoseconds ?? 0) > used.processorNanoseconds)
  })

  test('cannot reach another app on the network, but the host can', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startContainerWorld(stack)
    const image = await webImage(world, 'one')
    const { ip } = await containerStart.run(world.hands, startData(world, image))
    const other = ['run', '--rm', `--network=${world.app}-net`, `--name=${world.app}-other`, world.base]
    const asked = await mustRun(
      'docker',
      [...other, 'sh', '-c', `timeout 2 wget -qO- http://${ip}:8080/ || echo no`],
      {
        folder: world.folder,
      },
    )
    equal(asked.trim(), 'no')
    equal(await page(ip), 'one')
  })

  test('is taken as it is when its deployment started it before', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startContainerWorld(stack)
    const data = startData(world, await webImage(world, 'one'))
    const first = await containerStart.run(world.hands, data)
    const again = await containerStart.run(world.hands, data)
    deepEqual(again, { ...first, started: false })
  })

  test('is made anew when the attempt before died half-way', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startContainerWorld(stack)
    const data = startData(world, await webImage(world, 'one'))
    const first = await containerStart.run(world.hands, data)
    await docker(world, 'kill', first.name)
    const again = await containerStart.run(world.hands, data)
    notEqual(again.containerId, first.containerId)
    deepEqual([again.ip, await names(world)], [first.ip, [first.name]])
  })
})

describe('a replacement', () => {
  test('R9 stands beside the old one at the other address until requests go to it', async t => {
    await using stack = new AsyncDisposableStack()
    const world = await startContainerWorld(stack)
    const [one, two, three] = [
      await webImage(world, 'one'),
      await webImage(world, 'two'),
      await webImage(world, 'three'),
    ]
    const first = await deploy(world, one)
    const asked = systemClock.monotonic()
    const data = startData(world, two)
    const second = await containerStart.run(world.hands, data)
    t.diagnostic(`container.start: ${(systemClock.monotonic() - asked).toFixed(0)} ms`)
    notEqual(second.ip, first.ip)
    deepEqual([await page(first.ip), await page(second.ip)], ['one', 'two'])
    await world.switchboard.point(world.app, { ip: second.ip, deployment: data.deployment })
    const removed = await containerRemove.run(world.hands, {
      app: world.app,
      keep: [data.deployment],
      drainMs: 100,
    })
    deepEqual(removed.removed, [first.name])
    const observed = await containerObserve.run(world.hands, { app: world.app })
    deepEqual(
      observed.containers.map(({ name, serving, configHash }) => ({ name, serving, configHash })),
      [{ name: second.name, serving: true, configHash: CONFIG }],
    )
    equal((await deploy(world, three)).ip, first.ip)
  })

  test('with a host port stops the old one first, and the old one comes back when it fails', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startContainerWorld(stack)
    const ports = [{ host: 21_000 + Math.floor(Math.random() * 8_000), container: 8080 }]
    const first = await deploy(world, await webImage(world, 'one'), { ports })
    const second = await deploy(world, await webImage(world, 'two'), { ports })
    equal(await page('127.0.0.1', ports[0]?.host), 'two')
    const failing = startData(world, await crashingImage(world), { ports })
    await rejects(containerStart.run(world.hands, failing), CONTAINER_EXITED.matches)
    equal(await page('127.0.0.1', ports[0]?.host), 'two')
    deepEqual(await names(world), [second.name])
    notEqual(first.name, second.name)
    ok(world.said.some(line => line.endsWith('was started again')))
  })

  test('X01 with a volume takes none of another app, never lets two containers write to it, and keeps what is in it', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startContainerWorld(stack)
    const volumes = [{ name: 'data', path: '/data' }]
    const image = await webImage(world, 'one')
    const volume = `${world.app}-data`
    await docker(world, 'volume', 'create', '--label', `io.fairlead.app=${world.app}-other`, volume)
    const refused = containerStart.run(world.hands, startData(world, image, { volumes }))
    await rejects(refused, VOLUME_TAKEN.matches, 'X01 it is another app’s')
    await docker(world, 'volume', 'rm', volume)
    const first = await deploy(world, image, { volumes })
    await docker(world, 'exec', first.name, 'sh', '-c', 'echo kept > /data/x')
    const failing = startData(world, await crashingImage(world), { volumes })
    await rejects(containerStart.run(world.hands, failing), CONTAINER_EXITED.matches)
    equal(await pageOnceThere(first.ip), 'one')
    const data = startData(world, image, { volumes, configHash: 'b'.repeat(64) })
    const second = await containerStart.run(world.hands, data)
    equal((await docker(world, 'exec', second.name, 'cat', '/data/x')).trim(), 'kept')
    equal((await inspect(world, first.name)).State.Running, false)
    const gone = await containerRemove.run(world.hands, {
      app: world.app,
      keep: [],
      drainMs: 0,
      volumes: 'delete',
    })
    deepEqual(gone.volumes, [`${world.app}-data`])
  })

  test('removes what an interrupted deployment left', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startContainerWorld(stack)
    const image = await webImage(world, 'one')
    const serving = await deploy(world, image)
    const lost = await containerStart.run(
      world.hands,
      startData(world, image, { configHash: 'b'.repeat(64) }),
    )
    const next = await containerStart.run(
      world.hands,
      startData(world, image, { configHash: 'c'.repeat(64) }),
    )
    deepEqual(await names(world), [serving.name, next.name].sort())
    equal(next.ip, lost.ip)
  })

  test('is never all that is removed: without what was to stay, nothing goes', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startContainerWorld(stack)
    const { name } = await deploy(world, await webImage(world, 'one'))
    const removed = await containerRemove.run(world.hands, { app: world.app, keep: ['gone'], drainMs: 0 })
    deepEqual([removed.removed, await names(world)], [[], [name]])
  })
})

describe('a host', () => {
  test('X01 publishes no port and runs no image that its own policy forbids', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startContainerWorld(stack)
    const image = await webImage(world, 'one')
    for (const host of [80, 20_022, 30_000]) {
      const data = startData(world, image, { ports: [{ host, container: 8080 }] })
      await rejects(containerStart.run(world.hands, data), PORT_REFUSED.matches)
    }
    const strict = world.handsWith({ policy: { registries: ['registry.example'] } })
    await rejects(containerStart.run(strict, startData(world, world.base)), IMAGE_REGISTRY_REFUSED.matches)
    equal((await containerStart.run(strict, startData(world, image))).started, true)
  })

  test('says that an image is not there', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startContainerWorld(stack)
    await rejects(
      containerStart.run(world.hands, startData(world, `fairlead/${world.app}:t-none`)),
      IMAGE_NOT_FOUND.matches,
    )
  })

  test('proves at once what the image checks only every 30 s', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startContainerWorld(stack)
    const check = 'HEALTHCHECK CMD wget -qO- http://127.0.0.1:8080/ > /dev/null'
    const data = startData(world, await webImage(world, 'one', check))
    equal((await containerStart.run(world.hands, data)).health, 'healthy')
    const verified = await containerVerify.run(world.hands, {
      app: world.app,
      deployment: data.deployment,
      configHash: CONFIG,
    })
    equal(verified.container.health, 'starting')
  })

  test('waits a while for a program without a port, and takes it when it keeps running', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startContainerWorld(stack)
    const { port: _, ...data } = startData(world, await webImage(world, 'one'), {
      command: ['sleep', '60'],
      health: { withinMs: 5_000, settleMs: 200 },
    })
    equal((await containerStart.run(world.hands, data)).health, 'running')
  })
})

describe('logs', () => {
  test('show the last lines, follow to the next container until nothing runs, and are only of the app', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startContainerWorld(stack)
    const command = ['sh', '-c', 'for i in 1 2 3; do echo line $i; done; echo oops; sleep 1; echo last']
    const { port: _, ...data } = startData(world, await webImage(world, 'one'), {
      command,
      health: { withinMs: 5_000, settleMs: 200 },
    })
    const { name } = await containerStart.run(world.hands, data)
    world.said.length = 0
    const tailed = await containerLogs.run(world.hands, { app: world.app, tail: 2, follow: false })
    deepEqual([tailed, world.said], [{ container: name, lines: 2 }, ['line 3', 'oops']])
    world.said.length = 0
    const stop = new AbortController()
    const following = containerLogs.run(
      { ...world.hands, signal: stop.signal },
      { app: world.app, tail: 1, follow: true },
    )
    const next = ['sh', '-c', 'for i in 1 2 3; do echo next $i; done; sleep 1; echo end']
    await containerStart.run(world.hands, { ...data, deployment: newId(), command: next })
    await until('the next container has ended', async () => world.said.includes('end'))
    stop.abort()
    await rejects(following, { name: 'AbortError' })
    equal(world.said[0], 'oops')
    ok(world.said.includes('last'))
    // The engine starts them again when they end.
    const [next1 = 0, end = 0] = ['next 1', 'end'].map(line => world.said.indexOf(line))
    const ofNext = world.said.slice(next1, end + 1).filter(line => /^(next \d|end)$/.test(line))
    deepEqual(ofNext, ['next 1', 'next 2', 'next 3', 'end'])
    await rejects(
      containerLogs.run(world.hands, { app: 'another', container: name, tail: 1, follow: false }),
      CONTAINER_NOT_FOUND.matches,
    )
  })
})

/** A container that was started again answers a moment later. */
async function pageOnceThere(ip: string): Promise<string> {
  for (let left = 100; ; left -= 1) {
    try {
      return await page(ip)
    } catch (error) {
      if (left === 0) {
        throw error
      }
      await systemClock.sleep(50)
    }
  }
}

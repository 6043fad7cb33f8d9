import { deepEqual, match, ok, rejects } from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, test } from 'node:test'
import { containerStart } from '#commands/container.ts'
import {
  CONTAINER_EXITED,
  CONTAINER_START_REFUSED,
  CONTAINER_UNHEALTHY,
  PORT_TAKEN,
} from '#commands/container-errors.ts'
import { ENGINE_UNREACHABLE } from '#exec/errors.ts'
import { systemClock } from '#lib/clock.ts'
import { FairleadError } from '#lib/errors.ts'
import { crashingImage, deploy, docker, names, page, startData, webImage } from './world/container-apps.ts'
import { type ContainerWorld, startContainerWorld } from './world/container-world.ts'

describe('the old version serves on and nothing new is left', () => {
  test('when the program exits at once: exit code and last lines are told', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startContainerWorld(stack)
    const error = await failure(world, await crashingImage(world))
    ok(CONTAINER_EXITED.matches(error))
    match(error.message, /exit code 3/)
    deepEqual(error.facts?.log, ['reading config', 'config.json is missing'])
    ok(world.said.includes('config.json is missing'))
  })

  test('when nothing listens at the port', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startContainerWorld(stack)
    const error = await failure(world, await webImage(world, 'two'), {
      port: 9999,
      health: { withinMs: 600 },
    })
    ok(CONTAINER_UNHEALTHY.matches(error))
    match(error.message, /nothing listens at port 9999/)
  })

  test('when the health path answers with an error', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startContainerWorld(stack)
    const health = { http: '/healthz', withinMs: 600 }
    const error = await failure(world, await webImage(world, 'two'), { health })
    ok(CONTAINER_UNHEALTHY.matches(error))
    match(error.message, /GET \/healthz at port 8080 answers with status 404/)
  })

  test('when the health check of the image fails: its output is told', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startContainerWorld(stack)
    const image = await webImage(world, 'two', 'HEALTHCHECK CMD echo database is away; exit 1')
    const error = await failure(world, image, { health: { withinMs: 800 } })
    ok(CONTAINER_UNHEALTHY.matches(error))
    match(error.message, /exit code 1: database is away/)
  })

  test('when the command does not exist', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startContainerWorld(stack)
    const error = await failure(world, await webImage(world, 'two'), { command: ['no-such-program'] })
    ok(CONTAINER_EXITED.matches(error))
    match(error.hint, /correct "command"/)
    match(String(error.facts?.log), /no-such-program/)
  })

  test('when the engine does not take a setting', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startContainerWorld(stack)
    const error = await failure(world, await webImage(world, 'two'), { user: 'nobody-of-this-name' })
    ok(CONTAINER_START_REFUSED.matches(error))
    match(error.message, /nobody-of-this-name/)
  })

  test('when the host port belongs to another program', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startContainerWorld(stack)
    const port = await takenPort(stack)
    const ports = [{ host: port, container: 8080 }]
    const error = await failure(
      world,
      await webImage(world, 'two'),
      { ports },
      { from: 1024, to: 65_535, never: [] },
    )
    ok(PORT_TAKEN.matches(error))
    match(error.message, new RegExp(`Port ${port} `))
  })

  test('when the host port belongs to another container, which is named', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startContainerWorld(stack)
    const host = 21_000 + Math.floor(Math.random() * 8_000)
    const owner = `${world.app}-owner`
    await docker(world, 'run', '-d', `--name=${owner}`, '-p', `${host}:1`, world.base, 'sleep', '100')
    const error = await failure(world, await webImage(world, 'two'), { ports: [{ host, container: 8080 }] })
    ok(PORT_TAKEN.matches(error))
    match(error.message, new RegExp(owner))
  })

  test('when it needs more memory than it may use', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startContainerWorld(stack)
    const command = ['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=200M', 'count=100']
    const limits = { command, memoryBytes: 16 * 1024 * 1024 }
    const error = await failure(world, await webImage(world, 'two'), limits)
    ok(CONTAINER_EXITED.matches(error))
    match(error.message, /memory/)
  })

  test('when the deployment is cancelled while the container starts', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startContainerWorld(stack)
    const old = await deploy(world, await webImage(world, 'one'))
    const hands = world.handsWith({})
    const data = startData(world, await webImage(world, 'two'), { port: 9999, configHash: 'b'.repeat(64) })
    const started = containerStart.run(hands, data)
    started.catch(() => {})
    while (!world.said.some(line => line.includes(data.deployment.slice(-8)) && line.includes('started'))) {
      await systemClock.sleep(10)
    }
    hands.cancel()
    await rejects(started)
    deepEqual([await names(world), await page(old.ip)], [[old.name], 'one'])
  })

  test('when Docker is down', async () => {
    await using stack = new AsyncDisposableStack()
    const world = await startContainerWorld(stack)
    const hands = world.handsWith({ socket: `${world.folder}/no-docker.sock` })
    const started = containerStart.run(hands, startData(world, `fairlead/${world.app}:t-1`))
    await rejects(started, ENGINE_UNREACHABLE.matches)
  })
})

/** Deploys a good version and then the given one; gives why that failed, after what must hold in any case. */
async function failure(
  world: ContainerWorld,
  image: string,
  changes: object = {},
  ports?: { from: number; to: number; never: number[] },
): Promise<FairleadError> {
  const old = await deploy(world, await webImage(world, 'one'))
  const before = await names(world)
  const hands = ports ? world.handsWith({ policy: { ports } }) : world.hands
  const data = startData(world, image, { configHash: 'b'.repeat(64), ...changes })
  let failed: unknown
  try {
    await containerStart.run(hands, data)
  } catch (error) {
    failed = error
  }
  ok(failed instanceof FairleadError, `no failure: ${failed}`)
  ok(failed.hint.length > 20)
  deepEqual([await names(world), await page(old.ip)], [before, 'one'])
  return failed
}

async function takenPort(stack: AsyncDisposableStack): Promise<number> {
  const server = createServer().listen(0, '0.0.0.0')
  await once(server, 'listening')
  stack.defer(async () => {
    server.close()
    await once(server, 'close')
  })
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}

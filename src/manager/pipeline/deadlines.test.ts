import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { type Clock, systemClock } from '#lib/clock.ts'
import type { TellOptions } from '#manager/agents/tell.ts'
import type { Deployment } from '#manager/deployments/deployment.ts'
import { readDeployment, readSteps } from '#manager/deployments/queries.ts'
import type { Queue } from '#manager/deployments/queue.ts'
import { cancelDeployment, requestDeployment } from '#manager/deployments/request.ts'
import { addApp, openTestStore, type TestStore } from '#manager/deployments/test-store.ts'
import { DEADLINE_NAMES, type Deadlines } from './deadlines.ts'
import { STEPS } from './pipeline.ts'
import { createFakeAgents, type FakeAgents, workingAnswers } from './test-agents.ts'
import { openTestQueue } from './test-queue.ts'

let store: TestStore
let agents: FakeAgents
let appId: string
let queue: Queue | undefined

beforeEach(async () => {
  store = await openTestStore()
  agents = createFakeAgents(workingAnswers())
  appId = await addApp(store, 'shop')
})

afterEach(async () => {
  await queue?.close()
  await store.close()
})

/** A command that does nothing until it is told to end. */
function hang(_: unknown, { signal }: Pick<TellOptions, 'signal'>): Promise<never> {
  return new Promise((_resolve, reject) => {
    const end = () => reject(signal?.reason)
    signal?.addEventListener('abort', end)
    if (signal?.aborted) {
      end()
    }
  })
}

async function requested(): Promise<string> {
  const trigger = { kind: 'api', by: 'test' } as const
  return (await requestDeployment(store, { appId, kind: 'deploy', trigger })).id
}

async function deploy(deadlines: Deadlines = {}, clock = systemClock): Promise<Deployment> {
  const id = await requested()
  await queue?.close()
  queue = openTestQueue(store, agents, { deadlines, clock })
  queue.wake()
  await queue.idle()
  return await readDeployment(store.db, id)
}

async function override(deadlines: Record<string, string>): Promise<void> {
  await store.db
    .updateTable('apps')
    .set({ overrides: JSON.stringify({ deadlines }) })
    .execute()
}

/** A clock on which a wait of just this long is over when the test says so. */
function clockWith(longMs: number) {
  let run: () => void = () => assert.fail(`nobody waits for ${longMs} ms`)
  const clock: Clock = {
    ...systemClock,
    after(ms, whenOver) {
      if (Math.abs(ms - longMs) > 1_000) {
        return systemClock.after(ms, whenOver)
      }
      run = whenOver
      return { close() {} }
    },
  }
  return { clock, up: () => run() }
}

const HANGING = [
  ['repository.checkout', 'checkout'],
  ['container.observe', 'plan'],
  ['image.build', 'build'],
  ['container.start', 'apply'],
  ['container.verify', 'verify'],
  ['route.point', 'route'],
] as const

for (const [command, step] of HANGING) {
  test(`a hanging ${command} is ended with its step, which is named with its limit, and the app is free`, async () => {
    const works = agents.answers[command]
    agents.answers[command] = hang
    await override({ [step]: '30ms' })
    const deployment = await deploy()
    assert.equal(deployment.state, 'failed')
    assert.equal(deployment.failedStep, step)
    assert.equal(deployment.error?.code, 'STEP_TIMED_OUT')
    assert.match(deployment.error?.message ?? '', new RegExp(`"${step}".* 30ms`))
    assert.match(deployment.error?.hint ?? '', new RegExp(`${step}(: |=)…`))
    agents.answers[command] = works ?? hang
    await override({})
    assert.equal((await deploy()).state, 'succeeded')
  })

  test(`a deployment whose time is up in ${step} fails and says so`, async () => {
    const time = clockWith(3_600_000)
    agents.answers[command] = (params, options) => {
      time.up()
      return hang(params, options)
    }
    const deployment = await deploy({}, time.clock)
    assert.equal(deployment.state, 'failed')
    assert.equal(deployment.failedStep, step)
    assert.equal(deployment.error?.code, 'DEPLOYMENT_TIMED_OUT')
    assert.match(deployment.error?.message ?? '', new RegExp(`1h.*"${step}"`))
    assert.equal((await readSteps(store.db, deployment.id)).at(-1)?.state, 'failed')
  })
}

test('what the deploy file says holds instead of what the manager says, and what is set with the app before both', async () => {
  const checkout = workingAnswers()['repository.checkout']
  agents.answers['repository.checkout'] = (params, options) => ({
    ...(checkout?.(params, options) as object),
    paths: ['Dockerfile', 'fairlead.yaml'],
    texts: {
      Dockerfile: 'FROM scratch\nEXPOSE 8080\n',
      'fairlead.yaml':
        'version: 1\napps: { shop: { target: container, deadlines: { build: 1h, deployment: 3h } } }\n',
    },
  })
  agents.answers['container.start'] = hang
  await override({ apply: '30ms' })
  const first = await deploy({ build: 1 })
  assert.equal(first.failedStep, 'apply')
  assert.equal(limitOf(first), 3 * 3_600_000)
  const build = (await readSteps(store.db, first.id)).find(({ name }) => name === 'build')
  assert.equal((build?.deadlineAt ?? 0) - (build?.startedAt ?? 0), 3_600_000)

  await override({ checkout: '10m', build: '40ms', deployment: '4h' })
  agents.answers['image.build'] = hang
  const second = await deploy({ checkout: 1 })
  assert.equal(second.failedStep, 'build')
  assert.match(second.error?.message ?? '', /40ms/)
  assert.equal(limitOf(second), 4 * 3_600_000)
})

test('an app has its own time to become healthy on top of the limit for apply', async () => {
  const deployment = await deploy({ apply: 1_000 })
  const apply = (await readSteps(store.db, deployment.id)).find(({ name }) => name === 'apply')
  assert.equal((apply?.deadlineAt ?? 0) - (apply?.startedAt ?? 0), 61_000)
})

test('a wrong deadline set with the app is refused where it is read', async () => {
  await override({ build: 'long', dance: '1h' })
  const deployment = await deploy()
  assert.equal(deployment.error?.code, 'SETTINGS_INVALID')
})

test('a restart of the manager moves neither the deadline of the step nor that of the deployment', async () => {
  const build = agents.answers['image.build']
  const { id, step, deployment } = await stoppedInBuild()
  queue = openTestQueue(store, agents, { deadlines: { build: 1, deployment: 1 } })
  agents.answers['image.build'] = build ?? hang
  queue.wake()
  await queue.idle()
  const after = await readDeployment(store.db, id)
  assert.equal(after.state, 'succeeded')
  assert.equal(after.deadlineAt, deployment.deadlineAt)
  const again = (await readSteps(store.db, id)).find(({ name }) => name === 'build')
  assert.deepEqual([again?.startedAt, again?.deadlineAt], [step?.startedAt, step?.deadlineAt])
})

test('a deadline that passed while no manager ran ends what still hangs', async () => {
  const { id } = await stoppedInBuild()
  await store.db
    .updateTable('steps')
    .set(eb => ({ started_at: eb('started_at', '-', 20_000), deadline_at: eb('started_at', '-', 19_970) }))
    .where('name', '=', 'build')
    .execute()
  queue = openTestQueue(store, agents)
  queue.wake()
  await queue.idle()
  const deployment = await readDeployment(store.db, id)
  assert.deepEqual([deployment.state, deployment.failedStep], ['failed', 'build'])
  assert.equal(deployment.error?.code, 'STEP_TIMED_OUT')
})

test('a worker gets a deadline just after that of the step, so that it ends the work without a manager too', async () => {
  const given: number[] = []
  const start = agents.answers['image.build']
  agents.answers['image.build'] = (params, options) => {
    given.push(options.deadlineMs)
    return start?.(params, options)
  }
  await deploy({ build: 45 * 60_000 })
  const [ms = 0] = given
  assert.ok(ms > 44 * 60_000 && ms <= 45 * 60_000 + 5_000, String(ms))
})

test('a step that ends because its worker is away says that', async () => {
  agents.answers['image.build'] = hang
  agents.state = () => ({ status: 'connecting', since: 0, attempts: 3 })
  const deployment = await deploy({ build: 30 })
  assert.equal(deployment.error?.code, 'AGENT_OFFLINE')
  assert.equal(deployment.failedStep, 'build')
  assert.match(deployment.error?.hint ?? '', /fairlead hosts local/)
})

test('a cancellation that comes when the new release serves ends the clearing up, not the release', async () => {
  const reached = Promise.withResolvers<void>()
  agents.answers['repository.forget'] = (params, options) => {
    reached.resolve()
    return hang(params, options)
  }
  const id = await requested()
  const time = clockWith(5_000)
  queue = openTestQueue(store, agents, { clock: time.clock })
  queue.wake()
  await reached.promise
  await cancelDeployment(store, id)
  queue.abort(id)
  time.up()
  await queue.idle()
  const deployment = await readDeployment(store.db, id)
  assert.equal(deployment.state, 'succeeded')
  assert.ok(deployment.releaseId)
})

test('a step beside one that failed is given up, and the one that failed is named', async () => {
  const content = workingAnswers()['image.content']
  agents.answers['image.content'] = (params, options) => {
    const { images = [] } = (content?.(params, options) ?? {}) as { images?: object[] }
    return { images: images.map(image => ({ ...image, registry: 'missing' })) }
  }
  agents.answers['image.push'] = () => {
    throw new Error('no room')
  }
  agents.answers['container.start'] = hang
  const id = await requested()
  const registry = { address: '127.0.0.1:5000', username: 'ada', password: 'x' }
  queue = openTestQueue(store, agents, { registry })
  queue.wake()
  await queue.idle()
  const deployment = await readDeployment(store.db, id)
  assert.deepEqual([deployment.state, deployment.failedStep], ['failed', 'push'])
  assert.match(deployment.error?.message ?? '', /no room/)
  const apply = (await readSteps(store.db, id)).find(({ name }) => name === 'apply')
  assert.equal(apply?.error?.code, 'STEP_GIVEN_UP')
})

test('every step can be given a deadline by its name', () => {
  const steps = Object.values(STEPS)
    .flat(2)
    .map(step => step.name)
  assert.deepEqual(
    steps.filter(name => !DEADLINE_NAMES.includes(name)),
    [],
  )
})

function limitOf({ deadlineAt = 0, startedAt = 0 }: Deployment): number {
  return deadlineAt - startedAt
}

async function stoppedInBuild() {
  const reached = Promise.withResolvers<void>()
  agents.answers['image.build'] = (params, options) => {
    reached.resolve()
    return hang(params, options)
  }
  const id = await requested()
  queue = openTestQueue(store, agents)
  queue.wake()
  await reached.promise
  await queue.close()
  const step = (await readSteps(store.db, id)).find(({ name }) => name === 'build')
  return { id, step, deployment: await readDeployment(store.db, id) }
}

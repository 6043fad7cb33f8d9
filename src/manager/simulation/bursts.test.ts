import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { allRows, type DeploymentRow } from './test-rows.ts'
import { type Origin, SimulatedWorld } from './test-world.ts'

const BETWEEN_MS = 100
/** Longer than anything here takes. */
const ALL_MS = 60_000

let first: SimulatedWorld
let origin: Origin
/** How long a deployment takes. */
let lengthMs: number

before(async () => {
  first = await SimulatedWorld.open()
  origin = await first.found()
  await inWorld(async world => {
    await push(world, 1)
    await world.pass(ALL_MS)
    const [only] = await ran(world)
    lengthMs = since(only?.started_at, only?.finished_at)
  })
})
after(() => first.dispose())

test('P6 a burst that outlasts the deployment it began with is two deployments', async () => {
  await inWorld(async world => {
    await deployUntilNearlyDone(world)
    await push(world, 20)
    await world.pass(ALL_MS)
    const [last, ...others] = await ran(world)
    assert.equal(others.length, 1)
    assert.equal(last?.commit, world.git.tip)
  })
})

test('P6 a manager that is killed in a burst waits for its end when it is back', async () => {
  await inWorld(async world => {
    await deployUntilNearlyDone(world)
    await push(world, 14)
    await world.kill(0)
    await push(world, 6)
    await world.pass(ALL_MS)
    assert.equal((await ran(world)).length, 2)
  })
})

test('a burst that does not end is deployed after five seconds', async () => {
  await inWorld(async world => {
    await deployUntilNearlyDone(world)
    await push(world, 80)
    const [last] = await ran(world)
    const waitedMs = since(last?.created_at, last?.started_at)
    assert.ok(waitedMs >= 5000 && waitedMs <= 5000 + BETWEEN_MS, `it waited ${waitedMs} ms`)
  })
})

test('W26 1,000 pushes within 10 s are all answered 202; of an app one deployment runs and one waits at most, one per 5 s and two more start at most, and the last push is served in the end', async () => {
  await inWorld(async world => {
    const statuses = new Set<number | undefined>()
    const most = { running: 0, queued: 0 }
    for (let batch = 0; batch < 100; batch += 1) {
      const events = Array.from({ length: 10 }, () => {
        world.git.push('good')
        return world.pushEvent()
      })
      for (const answer of await Promise.all(events.map(event => world.deliver(event)))) {
        statuses.add(answer?.status)
      }
      await world.pass(BETWEEN_MS)
      const open = batch % 10 > 0 ? [] : (await allRows(world)).filter(({ app }) => app === 'shop')
      for (const state of ['running', 'queued'] as const) {
        most[state] = Math.max(most[state], open.filter(row => row.state === state).length)
      }
    }
    await world.pass(ALL_MS)
    const started = await ran(world)
    assert.deepEqual([[...statuses], most], [[202], { running: 1, queued: 1 }])
    assert.ok(started.length <= 10 / 5 + 2, `${started.length} deployments`)
    assert.equal(started[0]?.commit, world.git.tip)
    assert.equal(world.engine.serves('shop'), world.git.tip)
  })
})

test('a push alone starts at once, also one right behind a deployment', async () => {
  await inWorld(async world => {
    await push(world, 1)
    await world.pass(lengthMs)
    await push(world, 1)
    await world.pass(ALL_MS)
    const waited = (await ran(world)).map(row => since(row.created_at, row.started_at))
    assert.deepEqual(waited, [0, 0])
  })
})

/** Half a second before the end of the first deployment. */
async function deployUntilNearlyDone(world: SimulatedWorld): Promise<void> {
  await push(world, 1)
  await world.pass(lengthMs - BETWEEN_MS - 500)
}

async function push(world: SimulatedWorld, count: number): Promise<void> {
  for (let done = 0; done < count; done += 1) {
    world.git.push('good')
    await world.deliver(world.pushEvent())
    await world.pass(BETWEEN_MS)
  }
}

/** The deployments of one app that have started, newest first. */
async function ran(world: SimulatedWorld): Promise<DeploymentRow[]> {
  return (await allRows(world)).filter(({ app, started_at }) => app === 'shop' && started_at !== null)
}

function since(from: string | null | undefined, to: string | null | undefined): number {
  return Date.parse(to ?? '') - Date.parse(from ?? '')
}

async function inWorld(work: (world: SimulatedWorld) => Promise<void>): Promise<void> {
  const world = await SimulatedWorld.open(origin)
  try {
    await work(world)
  } finally {
    await world.close()
  }
}

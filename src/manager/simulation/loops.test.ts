import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import type { DeploymentDocument } from '#contract/rest/deployments.ts'
import { APPS, deployFileWith, type Origin, SimulatedWorld } from './test-world.ts'

const MINUTE = 60_000
const HALF_HOUR = 30 * MINUTE
const HOUR = 60 * MINUTE

let first: SimulatedWorld
let origin: Origin
let world: SimulatedWorld

before(async () => {
  first = await SimulatedWorld.open()
  origin = await first.found()
})
after(() => first.dispose())

beforeEach(async () => {
  world = await SimulatedWorld.open(origin, deployFileWith('    url_file: URL.md\n'))
})
afterEach(() => world.close())

test('G26 commits that Fairlead pushes arrive as webhooks and are polled for an hour, and deploy nothing', async () => {
  await deployAll()
  assert.equal(world.git.own.length, APPS.length)
  await anHour()
  assert.equal((await deployed()).length, APPS.length)
  world.git.push('good')
  const pushed = world.git.tip
  await anHour()
  assert.equal((await deployed()).length, 2 * APPS.length)
  assert.equal(world.git.own.length, 2 * APPS.length)
  for (const app of APPS) {
    assert.equal(world.git.originOf(world.engine.serves(app) ?? ''), pushed)
  }
})

test('G26 the same while the manager is killed again and again', async () => {
  await deployAll()
  for (const statements of [3, 90, 220]) {
    world.git.push('good')
    const pushed = world.git.tip
    await world.deliver(world.pushEvent())
    await world.kill(statements)
    await anHour()
    for (const app of APPS) {
      assert.equal(world.git.originOf(world.engine.serves(app) ?? ''), pushed, `${app} after ${statements}`)
    }
  }
  assert.equal((await deployed()).length, 4 * APPS.length)
  assert.equal(world.git.own.length, 4 * APPS.length)
})

test('what a person pushes below a commit of ours is deployed, though only ours is ever seen', async () => {
  await deployAll()
  world.git.push('good')
  await world.deliver(world.pushEvent())
  // The report about that deployment is made on what is pushed meanwhile.
  await world.pass(1000)
  const pushed = world.git.push('good')
  await anHour()
  for (const app of APPS) {
    assert.equal(world.git.originOf(world.engine.serves(app) ?? ''), pushed)
  }
})

test('"[skip deploy]" keeps a push from being deployed, also below a commit of ours; a person deploys it all the same', async () => {
  await deployAll()
  const served = world.engine.serves('shop')
  world.git.push('good', { skips: true })
  await anHour()
  assert.equal(world.engine.serves('shop'), served)
  assert.ok((await outcomes()).includes('skipped-by-message'))
  await world.api('POST', '/apps/blog/deploy', {})
  await anHour()
  assert.equal(world.git.originOf(world.engine.serves('blog') ?? ''), world.git.originOf(world.git.tip))
  assert.equal(world.engine.serves('shop'), served)
})

test('a rollback and a deployment of an older commit are reported, and the report does not undo them', async () => {
  await deployAll()
  const old = world.git.originOf(world.git.tip)
  world.git.push('good')
  await anHour()
  const own = world.git.own.length
  await world.api('POST', '/apps/shop/rollback', {})
  await world.api('POST', '/apps/blog/deploy', { commit: old })
  await anHour()
  for (const app of APPS) {
    assert.equal(world.git.originOf(world.engine.serves(app) ?? ''), old, app)
  }
  assert.equal(world.git.own.length, own + 2)
})

test('a schedule runs once at each of its times, whenever the manager is killed', async () => {
  await world.close()
  world = await SimulatedWorld.open(origin, deployFileWith("    schedule: { cron: '*/30 * * * *' }\n"))
  await deployAll()
  const times: string[] = []
  for (const statements of [1, 3, 6, 12]) {
    const left = HALF_HOUR - (world.clock.now() % HALF_HOUR)
    times.push(new Date(world.clock.now() + left).toISOString())
    await world.pass(left - 100)
    await world.kill(statements)
    await world.pass(10_000)
    await world.up()
    await world.pass(MINUTE)
  }
  const requested = (await deployments()).filter(({ trigger }) => trigger.kind === 'schedule')
  assert.deepEqual(
    requested.map(({ app, trigger }) => `${trigger.detail} ${app}`).sort(),
    times.flatMap(time => [`${time} blog`, `${time} shop`]).sort(),
  )
})

async function deployAll(): Promise<void> {
  for (const app of APPS) {
    await world.api('POST', `/apps/${app}/deploy`, {})
  }
  await world.pass(2 * MINUTE)
}

/** In which the Git host tells of every commit that it had, polls go on, and a person does nothing. */
async function anHour(): Promise<void> {
  let told = ''
  for (let minutes = 0; minutes < HOUR / MINUTE; minutes += 5) {
    await world.up()
    if (told !== world.git.tip) {
      told = world.git.tip
      await world.deliver(world.pushEvent())
    }
    await world.pass(5 * MINUTE)
  }
}

async function deployed(): Promise<(string | null)[]> {
  return (await outcomes()).filter(each => each === 'deployed')
}

async function outcomes(): Promise<(string | null)[]> {
  return (await deployments()).map(each => each.outcome)
}

async function deployments(): Promise<DeploymentDocument[]> {
  const answer = await world.api('GET', '/deployments?limit=200')
  assert.ok(answer)
  return (answer.body as { items: DeploymentDocument[] }).items
}

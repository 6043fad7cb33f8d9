import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { freePort } from '#cli/demo/free-port.ts'
import { LateApps, STUBBORN, succeeded } from './world/late-apps.ts'
import { type StuckRegistry, stickRegistry } from './world/stuck-registry.ts'
import { type System, startSystem } from './world/system.ts'
import { processesWith, tracesOf, until } from './world/traces.ts'

type How = 'deadline' | 'cancel'

/** Steps that are limited get this; long enough to get stuck in, even on a machine with much else to do. */
const LIMIT = '10s'

interface Case {
  readonly what: string
  readonly app: 'container' | 'compose'
  readonly step: string
  /** Makes the next deployment hang, and gives what makes it well again. */
  readonly arrange: (apps: LateApps) => Promise<(() => Promise<void>) | undefined>
  /** Resolves when it hangs. */
  readonly hangs: (apps: LateApps) => Promise<boolean>
}

const CASES: readonly Case[] = [
  {
    what: 'a Git server that takes the question for the commit and never answers',
    app: 'container',
    step: 'checkout',
    arrange: apps => apps.stickGit(),
    hangs: apps => apps.fetches(),
  },
  {
    what: 'a build instruction that sleeps for ever',
    app: 'container',
    step: 'build',
    arrange: apps => release(apps, { build: `RUN echo ${randomUUID()}; sleep ${apps.mark}\n` }),
    hangs: apps => apps.sleeps(),
  },
  {
    what: 'a base image whose registry never answers',
    app: 'container',
    step: 'build',
    arrange: async apps => {
      const base = `${apps.container}/nobody/${randomUUID()}:1`
      const content = {
        ...apps.files(apps.container),
        Dockerfile: `FROM ${system.registry.address}/${base}\n`,
      }
      return apps.stickRegistry(stuckBase(apps), content)
    },
    hangs: async apps => registry.stuck(stuckBase(apps)) > 0,
  },
  {
    what: 'a registry that takes uploads and never answers',
    app: 'container',
    step: 'push',
    arrange: apps => apps.stickRegistry(stuckUpload(apps), apps.files(apps.container)),
    hangs: async apps => registry.stuck(stuckUpload(apps)) > 0,
  },
  {
    what: 'a container that is never healthy',
    app: 'container',
    step: 'apply',
    arrange: apps => release(apps, { command: `CMD ["sleep", "${apps.mark}"]\n`, within: '10m' }),
    hangs: apps => apps.sleeps(),
  },
  {
    what: 'a health check that never ends',
    app: 'container',
    step: 'apply',
    arrange: apps =>
      release(apps, { command: `HEALTHCHECK CMD sleep ${apps.mark}\n${apps.serve}`, within: '10m' }),
    hangs: apps => apps.sleeps(),
  },
  {
    what: 'a Compose service that is never healthy',
    app: 'compose',
    step: 'apply',
    arrange: apps =>
      apps.push(apps.compose, apps.composeFiles(randomUUID(), { check: `sleep ${apps.mark}` })),
    hangs: apps => apps.sleeps(),
  },
]

const stack = new AsyncDisposableStack()
let system: System
let registry: StuckRegistry

/**
 * Every step hangs once until its deadline and once until somebody cancels; nothing may be left, nobody else may
 * notice. Most of the time is waited for deadlines: both are done at once, each with apps of its own.
 */
describe('what hangs', { concurrency: 2 }, () => {
  before(async () => {
    // One of each hangs, and one goes on beside it.
    system = await startSystem(stack, { environment: { FAIRLEAD_CONCURRENCY: '4' } })
    registry = await stickRegistry(stack, system)
  })
  after(() => stack.disposeAsync())

  describe('ends at its deadline', { concurrency: 1 }, () => {
    const apps = of('late', 100_000)
    for (const each of CASES) {
      test(`${each.what} is ended at the deadline of the step ${each.step}`, () =>
        endsAtDeadline(apps(), each))
    }
    test('A11 a deployment whose own time is up is ended in whatever step it is', () => endsWhole(apps()))
    stubbornTests('deadline', apps)
  })

  describe('ends when it is cancelled', { concurrency: 1 }, () => {
    const apps = of('unwanted', 200_000)
    for (const each of CASES) {
      test(`${each.what} is ended when the deployment is cancelled in the step ${each.step}`, () =>
        endsByCancel(apps(), each))
    }
    stubbornTests('cancel', apps)
  })
})

/** The apps of a suite, once its tests run. */
function of(name: string, mark: number): () => LateApps {
  let apps: LateApps
  before(async () => {
    apps = new LateApps(stack, { name, mark, system, registry })
    await apps.deployAll()
  })
  return () => apps
}

async function endsAtDeadline(apps: LateApps, each: Case): Promise<void> {
  const app = apps[each.app]
  const scene = await apps.scene(app)
  await apps.limit(app, { [each.step]: LIMIT })
  await hanging(apps, each, async () => {
    const deployment = await system.deploy(app)
    assert.equal(deployment.state, 'failed', JSON.stringify(deployment.error))
    assert.equal(deployment.error?.code, 'STEP_TIMED_OUT', JSON.stringify(deployment.error))
    assert.equal(deployment.failed_step, each.step)
    assert.match(deployment.error?.message ?? '', new RegExp(`"${each.step}".*${LIMIT}`))
    assert.match(deployment.error?.hint ?? '', new RegExp(`${each.step}(: |=)…`))
    await apps.nothingIsLeft(app, scene)
  })
  await apps.nextSucceeds(app)
}

async function endsByCancel(apps: LateApps, each: Case): Promise<void> {
  const app = apps[each.app]
  const scene = await apps.scene(app)
  await apps.limit(app, {})
  await hanging(apps, each, async () => {
    const id = await apps.request(app)
    await until('it hangs', async () => {
      const { finished_at, error } = await apps.detail(id)
      assert.equal(finished_at, null, JSON.stringify(error))
      return await each.hangs(apps)
    })
    await apps.nextSucceeds(apps.other)
    await apps.cancel(id)
    const deployment = await apps.ended(id)
    assert.deepEqual([deployment.state, deployment.failed_step], ['cancelled', each.step])
    await apps.nothingIsLeft(app, scene)
  })
  await apps.nextSucceeds(app)
}

async function endsWhole(apps: LateApps): Promise<void> {
  const app = apps.container
  const scene = await apps.scene(app)
  await apps.limit(app, { deployment: '12s' })
  await release(apps, { build: `RUN echo ${randomUUID()}; sleep ${apps.mark}\n` })
  const deployment = await system.deploy(app)
  assert.deepEqual([deployment.state, deployment.failed_step], ['failed', 'build'])
  assert.equal(deployment.error?.code, 'DEPLOYMENT_TIMED_OUT')
  await apps.nothingIsLeft(app, scene)
  await apps.nextSucceeds(app)
}

/** What ignores SIGTERM. */
function stubbornTests(how: How, suite: () => LateApps): void {
  test(`an old container that ignores SIGTERM is killed at the ${how}; the new release serves`, async () => {
    const apps = suite()
    const app = apps.container
    await apps.limit(app, {})
    await release(apps, { command: STUBBORN, settings: ['stop_grace: 10m'] })
    succeeded(await system.deploy(app))
    await apps.limit(app, how === 'deadline' ? { prune: '5s' } : {})
    await release(apps)
    const id = await apps.request(app)
    await until('it stops the old one', async () =>
      (await apps.detail(id)).steps.some(step => step.name === 'prune'),
    )
    if (how === 'cancel') {
      await apps.cancel(id)
    }
    succeeded(await apps.ended(id))
    assert.equal((await tracesOf(system, app)).containers?.length, 1)
    assert.equal(await apps.visit(app), apps.newest)
  })

  test(`an old container that has to make room and ignores SIGTERM serves again after the ${how}`, async () => {
    const apps = suite()
    const app = apps.container
    await apps.limit(app, {})
    const settings = ['stop_grace: 10m', `ports: [{ host: ${await freePort()}, container: 8080 }]`]
    await release(apps, { command: STUBBORN, settings })
    succeeded(await system.deploy(app))
    const { serving } = await apps.scene(app)
    await apps.limit(app, how === 'deadline' ? { apply: LIMIT } : {})
    await release(apps, { settings })
    const id = await apps.request(app)
    await until('it stops the old one', async () => /is stopped first/.test(await system.logOf(id)))
    if (how === 'cancel') {
      await apps.cancel(id)
    }
    assert.equal((await apps.ended(id)).state, how === 'cancel' ? 'cancelled' : 'failed')
    await until('the old one serves again', async () => (await apps.visit(app)) === serving)
    assert.equal((await tracesOf(system, app)).containers?.length, 1)
    await apps.nextSucceeds(app, { prune: '5s' })
    assert.equal((await tracesOf(system, app)).containers?.length, 1)
  })

  test(`a Compose program that waits for a container which ignores SIGTERM is ended at the ${how}`, async () => {
    const apps = suite()
    const app = apps.compose
    const stubborn = async () => apps.push(app, apps.composeFiles(randomUUID(), { stubborn: randomUUID() }))
    await apps.limit(app, {})
    await stubborn()
    succeeded(await system.deploy(app))
    const serving = await apps.visit(app)
    await apps.limit(app, how === 'deadline' ? { apply: LIMIT } : {})
    await stubborn()
    const id = await apps.request(app)
    await until('Compose waits for the old one', async () =>
      /stubborn.* Recreate/.test(await system.logOf(id)),
    )
    assert.notDeepEqual(await composePrograms(app), [])
    if (how === 'cancel') {
      await apps.cancel(id)
    }
    const { state, error } = await apps.ended(id)
    const expected = how === 'cancel' ? ['cancelled', 'DEPLOYMENT_CANCELLED'] : ['failed', 'STEP_TIMED_OUT']
    assert.deepEqual([state, error?.code], expected)
    assert.deepEqual(await composePrograms(app), [])
    assert.equal(await apps.visit(app), serving)
    await apps.nextSucceeds(app)
    assert.equal((await tracesOf(system, app)).containers?.length, 1)
  })
}

async function composePrograms(app: string): Promise<readonly string[]> {
  return (await processesWith(app)).filter(line => /\bcompose\b.*\bup\b/.test(line))
}

async function release(apps: LateApps, changes: Parameters<LateApps['files']>[1] = {}): Promise<undefined> {
  await apps.push(apps.container, apps.files(apps.container, changes))
}

function stuckBase({ container }: LateApps): RegExp {
  return new RegExp(`${container}/nobody`)
}

function stuckUpload({ container }: LateApps): RegExp {
  return new RegExp(`^POST /v2/${container}/.*uploads`)
}

async function hanging(apps: LateApps, each: Case, run: () => Promise<void>): Promise<void> {
  const mend = await each.arrange(apps)
  try {
    await run()
  } finally {
    await mend?.()
  }
}

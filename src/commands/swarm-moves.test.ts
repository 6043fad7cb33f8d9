import { deepEqual, equal, rejects } from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { COMPOSE_PROJECT_TAKEN } from './compose-errors.ts'
import { OWN_KEY, renderText } from './compose-model.ts'
import { claimProject, keepRender, readOwner } from './compose-store.ts'
import { testHands } from './recorded-hands.test.ts'
import { swarmDown } from './swarm-down.ts'
import { SWARM_STACK_TAKEN } from './swarm-errors.ts'
import { swarmRecall } from './swarm-recall.ts'
import { swarmRender } from './swarm-render.ts'
import { shelfOf } from './swarm-shelves.ts'
import { handsOnEngines, type TestEngine } from './test-engines.ts'

/** A host with two engines, each in a swarm of its own unless it is said otherwise. */
async function aHost(context: TestContext, far: Partial<TestEngine> = {}) {
  const workspace = await mkdtemp(join(tmpdir(), 'shelves-'))
  context.after(() => rm(workspace, { recursive: true }))
  const local: TestEngine = { name: 'local', id: 'L', swarm: 'one', stacks: new Map() }
  const other: TestEngine = { name: 'big', id: 'B', swarm: 'two', stacks: new Map(), ...far }
  return {
    workspace,
    local,
    far: other,
    on: handsOnEngines(testHands([], { mode: 'trusted' }), workspace, [local, other]),
  }
}

type Host = Awaited<ReturnType<typeof aHost>>

/** As a deployment does: the app's stack runs there, and its render is kept. */
async function deployed({ on, local, far }: Host, app: string, stack: string, engine: 'local' | 'big') {
  const hands = on(engine)
  const own = { app, routes: [], mounts: {}, secrets: {}, configs: {}, isFinal: true }
  const shelf = shelfOf(hands.host, stack)
  await claimProject(hands, shelf, own)
  const text = renderText({ services: { web: { image: 'a:1' } }, [OWN_KEY]: own })
  const there = engine === 'local' ? local : far
  there.stacks?.set(stack, app)
  return await keepRender(hands, shelf, { text })
}

const down = { app: 'shop', volumes: 'keep' } as const

test('R42 a stack that has moved is taken away from its old engine, and its releases can be gone back to on the new one', async context => {
  const host = await aHost(context)
  const before = await deployed(host, 'shop', 'shop', 'local')
  await deployed(host, 'shop', 'shop', 'big')
  deepEqual(await swarmDown.run(host.on('local'), { ...down, moved: true }), { stacks: ['shop'] })
  deepEqual([[...(host.local.stacks ?? [])], [...(host.far.stacks ?? [])]], [[], [['shop', 'shop']]])
  const { release } = await swarmRecall.run(host.on('big'), { stack: 'shop', render: before })
  equal(release?.render, before)
})

test('R42 a move that fails takes the stack from the new engine only, and another app may have the place', async context => {
  const host = await aHost(context)
  const before = await deployed(host, 'shop', 'shop', 'local')
  await deployed(host, 'shop', 'shop', 'big')
  await swarmDown.run(host.on('big'), { ...down, moved: true })
  deepEqual([[...(host.local.stacks ?? [])], [...(host.far.stacks ?? [])]], [[['shop', 'shop']], []])
  const { release } = await swarmRecall.run(host.on('local'), { stack: 'shop', render: before })
  equal(release?.render, before)
  await deployed(host, 'other', 'shop', 'big')
  equal((await readOwner(host.on(), 'shop@big'))?.app, 'other')
})

test('a removal of the app forgets what was kept of its time on other engines', async context => {
  const host = await aHost(context)
  const before = await deployed(host, 'shop', 'shop', 'local')
  await deployed(host, 'shop', 'shop', 'big')
  await swarmDown.run(host.on('local'), { ...down, moved: true })
  await swarmDown.run(host.on('big'), down)
  deepEqual(await swarmRecall.run(host.on('big'), { stack: 'shop', render: before }), {})
})

test('a stack whose folder is lost is taken away by the labels of its services, and nobody else is touched', async context => {
  const host = await aHost(context)
  await deployed(host, 'shop', 'shop', 'local')
  await deployed(host, 'news', 'news', 'local')
  await rm(join(host.workspace, 'renders'), { recursive: true })
  deepEqual(await swarmDown.run(host.on(), down), { stacks: ['shop'] })
  deepEqual([...(host.local.stacks ?? [])], [['news', 'news']])
})

test('a stack that runs through another manager of the same swarm stays when its old engine is tidied', async context => {
  const host = await aHost(context, { swarm: 'one' })
  host.local.stacks?.set('shop', 'shop')
  await deployed({ ...host, far: host.local }, 'shop', 'shop', 'big')
  await swarmDown.run(host.on('local'), { ...down, moved: true })
  deepEqual([...(host.local.stacks ?? [])], [['shop', 'shop']])
})

test('R53 two apps have a stack of the same name, on an engine each, and keep it apart', async context => {
  const host = await aHost(context)
  const own = await deployed(host, 'web', 'web', 'local')
  await deployed(host, 'web-b', 'web', 'big')
  deepEqual(await swarmDown.run(host.on('big'), { ...down, app: 'web-b' }), { stacks: ['web'] })
  deepEqual([...(host.local.stacks ?? [])], [['web', 'web']])
  const { release } = await swarmRecall.run(host.on('local'), { stack: 'web', render: own })
  equal(release?.render, own)
  await rejects(deployed(host, 'news', 'web', 'local'), COMPOSE_PROJECT_TAKEN.matches)
})

const CHECKOUT = { repository: 'r'.repeat(8), commit: 'c'.repeat(40) }

async function render({ workspace, on }: Host, engine: string, compose: string) {
  const folder = join(workspace, 'checkouts', CHECKOUT.repository, CHECKOUT.commit)
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'compose.yaml'), compose)
  const data = { app: 'shop', stack: 'web', ...CHECKOUT, files: ['compose.yaml'], variables: {}, secrets: {} }
  return await swarmRender.run(on(engine), data)
}

test('a stack of another app is refused before anything is rendered, and what that one has stays', async context => {
  const host = await aHost(context)
  await deployed(host, 'news', 'web', 'local')
  await rejects(render(host, 'local', 'services: {}'), SWARM_STACK_TAKEN.matches)
  deepEqual([...(host.local.stacks ?? [])], [['web', 'news']])
})

for (const [what, path] of [
  ['socket of another engine', '/run/local.sock'],
  ['folder with the key of an engine', '/etc/fairlead/big'],
] as const) {
  test(`a stack on any engine cannot mount the ${what}, whatever the policy`, async context => {
    const host = await aHost(context, { facts: { keys: ['/etc/fairlead/big/key.pem'] } })
    const compose = `services:\n  web:\n    image: a:1\n    volumes: ["${path}:/x"]\n`
    await rejects(render(host, 'big', compose), { code: 'COMPOSE_NOT_ALLOWED', message: /POL013/ })
  })
}

import { equal, rejects } from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { HostPolicy } from './command.ts'
import { NAME_TAKEN } from './compose-errors.ts'
import { OWN_KEY, renderText } from './compose-model.ts'
import { claimProject, keepRender, readOwner } from './compose-store.ts'
import { composeUp } from './compose-up.ts'
import { type Naming, refuseForeignNames } from './own-names.ts'
import { testHands } from './recorded-hands.test.ts'
import { swarmDeploy } from './swarm-deploy.ts'
import { swarmDown } from './swarm-down.ts'
import { handsOnEngines, type TestEngine } from './test-engines.ts'

const STACK = 'com.docker.stack.namespace'
const PROJECT = 'com.docker.compose.project'

async function aHost(
  context: TestContext,
  things: Pick<TestEngine, 'volumes' | 'networks' | 'stacks' | 'mounts'>,
  policy: Partial<HostPolicy> = {},
) {
  const workspace = await mkdtemp(join(tmpdir(), 'names-'))
  context.after(() => rm(workspace, { recursive: true }))
  const engine: TestEngine = { name: 'local', id: 'L', swarm: 'one', stacks: new Map(), ...things }
  return handsOnEngines(testHands([], { mode: 'enforce', ...policy }), workspace, [engine])()
}

const MODEL = {
  volumes: { shop_data: {}, plain: { name: 'my_plain' }, far: { external: true, name: 'far_data' } },
  networks: { shop_default: { name: 'my_shop_default' } },
}
const naming: Naming = { app: 'a', name: 'my', kind: 'stack', shelf: 'my', model: MODEL }

for (const [what, things, message] of [
  ['a volume of another stack', { volumes: { my_shop_data: [`${STACK}=my_shop`] } }, /the stack "my_shop"/],
  [
    'a volume of a Compose project',
    { volumes: { my_shop_data: [`${PROJECT}=my_shop`] } },
    /the Compose project "my_shop"/,
  ],
  ['a volume that was made by hand', { volumes: { my_plain: [] } }, /"my_plain" already, and nothing says/],
  [
    'a network of another stack',
    { networks: { my_shop_default: [`${STACK}=my_shop`] } },
    /network "my_shop_default" belongs/,
  ],
  [
    'a volume whose file wrote a label of ours',
    { volumes: { my_plain: [`${STACK}=my`, `${PROJECT}=other`] } },
    /belongs to/,
  ],
  [
    'a volume of a project of this name that is not the app’s',
    { volumes: { my_plain: [`${PROJECT}=my`] } },
    /belongs to the Compose project "my"/,
  ],
] as const) {
  test(`X01 ${what} is not a stack's because its name says so`, async context => {
    const hands = await aHost(context, things)
    await rejects(refuseForeignNames(hands, naming), { code: 'NAME_TAKEN', message })
  })
}

test('X01 a volume that lies on another node belongs to the stack whose service mounts it', async context => {
  const mounting = (volume: string) => ({
    stacks: new Map([
      ['my', 'a'],
      ['my_shop', 'b'],
    ]),
    mounts: { my_shop: volume, my: 'my_plain' },
  })
  await rejects(refuseForeignNames(await aHost(context, mounting('my_shop_data')), naming), {
    code: 'NAME_TAKEN',
    message: /the stack "my_shop"/,
  })
  await refuseForeignNames(await aHost(context, mounting('my_shop_other')), naming)
})

test('what has the label of the stack or project is used again, and names that are only alike are nobody’s business', async context => {
  const volumes = { my_shop_data: [`${STACK}=my`], xmy_plain: [], far_data: [] }
  const networks = { my_shop_default: [`${STACK}=my`] }
  await refuseForeignNames(await aHost(context, { volumes, networks }), naming)
  const project = { ...naming, kind: 'project' } as const
  await refuseForeignNames(await aHost(context, { volumes: { my_plain: [`${PROJECT}=my`] } }), project)
})

test('an app that was a Compose project and becomes a stack of that name keeps its volumes', async context => {
  const hands = await aHost(context, { volumes: { my_plain: [`${PROJECT}=my`] } })
  await claimProject(hands, 'my', { app: 'a', routes: [], mounts: {} })
  await refuseForeignNames(hands, naming)
  await rejects(refuseForeignNames(hands, { ...naming, app: 'b' }), NAME_TAKEN.matches)
})

test('what was made by hand is taken over where the owner of the host says so, for this stack only', async context => {
  const things = { volumes: { my_shop_data: [] } }
  await refuseForeignNames(await aHost(context, things, { adopt: { my: ['my_shop_data'] } }), naming)
  const other = await aHost(context, things, { adopt: { my_shop: ['my_shop_data'] } })
  await rejects(refuseForeignNames(other, naming), { hint: /adopt: \{ my: \[my_shop_data\] \}/ })
  await refuseForeignNames(await aHost(context, things, { mode: 'trusted' }), naming)
})

const LEFT = { shop_data: [`${STACK}=shop`] }
const again: Naming = { ...naming, app: 'b', name: 'shop', shelf: 'shop', model: { volumes: { data: {} } } }

/** The stack `shop` of the app `a` of the repository `infra` is removed; `of` gives the hands of another repository. */
async function removed(context: TestContext, engine: TestEngine, policy: Partial<HostPolicy> = {}) {
  const workspace = await mkdtemp(join(tmpdir(), 'names-'))
  context.after(() => rm(workspace, { recursive: true }))
  const on = handsOnEngines(testHands([], { mode: 'enforce', ...policy }), workspace, [engine])()
  const of = (repository: string) => ({ ...on, host: { ...on.host, owner: { app: 'x', repository } } })
  await claimProject(of('infra'), 'shop', { app: 'a', routes: [], mounts: {} })
  engine.stacks?.set('shop', 'a')
  await swarmDown.run(of('infra'), { app: 'a', volumes: 'keep' })
  return of
}

const anEngine = (more: Partial<TestEngine>): TestEngine => ({
  ...{ name: 'local', id: 'L', swarm: 'one', stacks: new Map() },
  ...more,
})

test('X01 what a removed stack left is no other repository’s that takes its name, until it is gone', async context => {
  const engine = anEngine({ volumes: LEFT })
  const of = await removed(context, engine)
  const message = /"shop_data" belongs to the app "a" of the repository "infra"/
  await rejects(refuseForeignNames(of('other'), again), { code: 'NAME_TAKEN', message })
  await refuseForeignNames(of('infra'), again)
  // With other volumes it may have the name, and its own removal makes nothing its own that was not.
  await refuseForeignNames(of('other'), { ...again, model: { volumes: { cache: {} } } })
  await claimProject(of('other'), 'shop', { app: 'b', routes: [], mounts: {} })
  engine.stacks?.set('shop', 'b')
  engine.volumes = { ...LEFT, shop_cache: [`${STACK}=shop`] }
  await swarmDown.run(of('other'), { app: 'b', volumes: 'keep' })
  await rejects(refuseForeignNames(of('other'), again), { code: 'NAME_TAKEN', message })
  await rejects(refuseForeignNames(of('infra'), { ...again, model: { volumes: { cache: {} } } }), {
    code: 'NAME_TAKEN',
  })
  engine.volumes = {}
  await refuseForeignNames(of('other'), again)
  engine.volumes = LEFT
  await refuseForeignNames(of('other'), again)
})

test('what a removed stack left is taken over where the owner of the host says so', async context => {
  const policy = { adopt: { shop: ['shop_data'] } }
  const of = await removed(context, anEngine({ volumes: LEFT }), policy)
  await refuseForeignNames(of('other'), again)
})

test('X01 what a removed stack left on other nodes of its swarm is known too', async context => {
  const mounts = { shop: 'shop_data' }
  const several = await removed(context, anEngine({ nodes: 2, mounts }))
  await rejects(refuseForeignNames(several('other'), again), NAME_TAKEN.matches)
  await refuseForeignNames(several('infra'), again)
  const single = await removed(context, anEngine({ nodes: 1, mounts }))
  await refuseForeignNames(single('other'), again)
})

test('X01 what a stack left stays its own when it is taken down again, and is nobody’s once it is deleted', async context => {
  const engine = anEngine({ volumes: LEFT })
  const of = await removed(context, engine)
  engine.stacks?.set('shop', 'a')
  await swarmDown.run(of('infra'), { app: 'a', volumes: 'keep' })
  await rejects(refuseForeignNames(of('other'), again), NAME_TAKEN.matches)
  engine.volumes = {}
  engine.stacks?.set('shop', 'a')
  await swarmDown.run(of('infra'), { app: 'a', volumes: 'delete' })
  engine.volumes = LEFT
  await refuseForeignNames(of('other'), again)
})

for (const [what, command, own] of [
  [
    'a stack',
    swarmDeploy,
    { stack: 'my', content: {}, built: {}, part: { secrets: {}, configs: {}, isFinal: true } },
  ],
  ['a Compose project', composeUp, { project: 'my', images: {}, beside: [], part: {} }],
] as const) {
  test(`X01 ${what} that was rendered before somebody else made its volume is not begun`, async context => {
    const hands = await aHost(context, { volumes: { my_shop_data: ['a=b'] } })
    const { part, ...rest } = own
    const text = renderText({
      ...MODEL,
      services: { web: { image: 'a:1' } },
      [OWN_KEY]: { app: 'a', routes: [], mounts: {}, ...part },
    })
    const hash = await keepRender(hands, 'my', { text })
    const data = { app: 'a', render: hash, withinMs: 0, registries: [], ...rest }
    await rejects(async () => command.run(hands, data as never), NAME_TAKEN.matches)
    equal(await readOwner(hands, 'my'), undefined)
  })
}

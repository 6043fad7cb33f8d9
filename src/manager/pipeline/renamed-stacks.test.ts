import { deepEqual, equal } from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { requestDeployment } from '#manager/deployments/request.ts'
import { addApp } from '#manager/deployments/test-store.ts'
import { composeOf, openTestSwarm, type TestSwarm } from './test-swarm.ts'

let swarm: TestSwarm

beforeEach(async () => {
  swarm = await openTestSwarm()
})

afterEach(() => swarm.close())

test('R54 two of five stacks with ports get other names: the old ones go when the new ones are ready, and all five serve', async () => {
  await swarm.made(['a', 'b', 'c', 'd', 'e'])
  const after = ['a2', 'b2', 'c', 'd', 'e']
  await swarm.push(after)
  deepEqual([...swarm.running.keys()].sort(), after, swarm.done.join())
  deepEqual(await swarm.appNames(), after)
  for (const name of ['a', 'b']) {
    equal(swarm.done.indexOf(`deploy ${name}2`), swarm.done.indexOf(`down ${name}`) + 1, swarm.done.join())
  }
})

test('R54 a stack is not touched when the one that would take its place cannot be rendered, and goes when that is mended', async () => {
  await swarm.made(['a', 'c'])
  swarm.broken.add('a2')
  await swarm.push(['a2', 'c'])
  deepEqual([...swarm.running.keys()].sort(), ['a', 'c'])
  deepEqual(await swarm.appNames(), ['a', 'a2', 'c'])
  equal(await swarm.lastOf('a'), 'APP_REMOVAL_WAITS')
  swarm.broken.clear()
  await swarm.push(['a2', 'c'])
  deepEqual([...swarm.running.keys()].sort(), ['a2', 'c'])
  deepEqual(await swarm.appNames(), ['a2', 'c'])
})

test('R54 a stack that made room in vain is brought back', async () => {
  await swarm.made(['a', 'c'])
  swarm.ill.add('a2')
  await swarm.push(['a2', 'c'])
  deepEqual([...swarm.running.keys()].sort(), ['a', 'c'])
  deepEqual(await swarm.appNames(), ['a', 'a2', 'c'])
  deepEqual([await swarm.lastOf('a2'), await swarm.lastOf('a')], ['SWARM_ROLLED_BACK', 'APP_REMOVAL_WAITS'])
})

test('R54 a stack whose ports no new one wants is removed, whatever becomes of the new one', async () => {
  await swarm.made(['a', 'c'])
  swarm.ill.add('x')
  await swarm.push(['c', 'x'])
  deepEqual([...swarm.running.keys()].sort(), ['c'])
  deepEqual(await swarm.appNames(), ['c', 'x'])
})

test('R54 a renamed stack that comes back under its old name goes on as if nothing had been', async () => {
  await swarm.made(['a', 'c'])
  swarm.broken.add('a2')
  await swarm.push(['a2', 'c'])
  await swarm.push(['a', 'c'])
  deepEqual([...swarm.running.keys()].sort(), ['a', 'c'])
  deepEqual(await swarm.appNames(), ['a', 'c'])
  equal(swarm.done.includes('down a'), false)
})

test('R54 a stack is not touched while the files of the one that would take its place are wrong, and goes when they are mended', async () => {
  const instance = 'simple-stack-instance.web.a2.json'
  for (const [path, good] of [
    [instance, '{ "enabled": true }'],
    ['stack-a2.json', '{}'],
  ] as const) {
    swarm.running.clear()
    await swarm.store.db.deleteFrom('apps').execute()
    await swarm.store.db.deleteFrom('repositories').execute()
    swarm.texts = {}
    await swarm.made(['a', 'c', 'd'])
    const next = path === instance ? ['c', 'd'] : ['a2', 'c', 'd']
    const compose = path === instance ? { 'docker-compose.web.yml': composeOf('-a2.yml') } : {}
    swarm.texts = { ...compose, [path]: '{ "enabled": true,' }
    await swarm.push(next)
    deepEqual(
      [[...swarm.running.keys()].sort(), await swarm.appNames()],
      [
        ['a', 'c', 'd'],
        ['a', 'c', 'd'],
      ],
      path,
    )
    equal(await swarm.lastOf('a'), 'APP_REMOVAL_WAITS')
    swarm.texts = { ...compose, [path]: good }
    await swarm.push(next)
    deepEqual(
      [[...swarm.running.keys()].sort(), await swarm.appNames()],
      [
        ['a2', 'c', 'd'],
        ['a2', 'c', 'd'],
      ],
      path,
    )
  }
})

test('R54 a stack is not touched when the app of another repository has the name of the one that would take its place', async () => {
  await swarm.made(['a', 'c'])
  await addApp(swarm.store, 'a2', 'stack')
  await swarm.push(['a2', 'c'])
  equal(swarm.running.get('a') !== undefined, true)
  equal(await swarm.lastOf('a'), 'APP_REMOVAL_WAITS')
})

for (const [what, spoil] of [
  ['is refused', () => swarm.broken.add('z')],
  ['has a name that another repository has', () => addApp(swarm.store, 'z', 'stack')],
  [
    'has a file of its own that is no JSON',
    () => {
      swarm.texts = { 'stack-z.json': '{ "enabled": true,' }
    },
  ],
] as const) {
  test(`R54 a stack whose file is gone is removed although a new one ${what}, when that is about another port`, async () => {
    await swarm.made(['a', 'c', 'd'])
    await spoil()
    await swarm.push(['c', 'd', 'z'])
    equal(swarm.running.has('a'), false, swarm.done.join())
    equal((await swarm.appNames()).includes('a'), false)
  })
}

test('R54 a new stack of which nobody can tell the ports keeps the one whose file goes with its push, and no later one', async () => {
  await swarm.made(['a', 'c', 'd', 'e'])
  swarm.broken.add('z')
  swarm.texts = { 'docker-compose-z.yml': 'services: {' }
  await swarm.push(['c', 'd', 'e'])
  equal(await swarm.lastOf('a'), 'APP_REMOVAL_WAITS')
  await swarm.push(['d', 'e'])
  deepEqual([...swarm.running.keys()].sort(), ['a', 'd', 'e'])
  deepEqual(await swarm.appNames(), ['a', 'd', 'e', 'z'])
})

test('R54 a stack that its file switches off is removed at once, whatever else is wrong', async () => {
  await swarm.made(['a', 'c', 'd'])
  swarm.broken.add('z')
  swarm.texts = { 'stack-a.json': '{ "enabled": false }', 'stack-y.json': '{' }
  await swarm.push(['a', 'c', 'd', 'z'])
  deepEqual([...swarm.running.keys()].sort(), ['c', 'd'])
  deepEqual(await swarm.appNames(), ['c', 'd', 'z'])
})

test('R54 a deployment of an old commit takes down no stack that is wanted since', async () => {
  await swarm.made(['a', 'c', 'd'])
  swarm.portsOf = { a: [] }
  await swarm.push(['a', 'a2', 'c', 'd'])
  deepEqual([...swarm.running.keys()].sort(), ['a', 'a2', 'c', 'd'], swarm.done.join())
  swarm.portsOf = {}
  swarm.files = ['a', 'c', 'd']
  const { id: appId } = await swarm.store.db
    .selectFrom('apps')
    .select('id')
    .where('name', '=', 'a')
    .executeTakeFirstOrThrow()
  const trigger = { kind: 'api', by: 'ada' } as const
  const commit = '1'.padStart(40, 'a')
  await requestDeployment(swarm.store, { appId, kind: 'deploy', trigger, commit })
  swarm.queue.wake()
  await swarm.queue.idle()
  equal(await swarm.lastOf('a'), 'PORT_TAKEN_BY_APP')
  equal(swarm.running.has('a2'), true)
  equal(swarm.done.includes('down a2'), false, swarm.done.join())
})

test('R54 a stack without ports is removed when the one that takes its place serves, and not when that fails', async () => {
  swarm.portsOf = { a: [], a2: [] }
  await swarm.made(['a', 'c'])
  swarm.broken.add('a2')
  await swarm.push(['a2', 'c'])
  deepEqual([...swarm.running.keys()].sort(), ['a', 'c'])
  equal(await swarm.lastOf('a'), 'APP_REMOVAL_WAITS')
  swarm.broken.clear()
  await swarm.push(['a2', 'c'])
  deepEqual(await swarm.appNames(), ['a2', 'c'])
  deepEqual(swarm.done.slice(-2), ['deploy a2', 'down a'])
})

for (const [what, kept, end] of [
  ['only says its ports in words makes room', ['ports'], [['a2', 'c'], 'deployed']],
  ['does not tell its ports stays', [], [['a', 'c'], 'SWARM_PORT_TAKEN']],
] as const) {
  test(`R54 a stack whose release ${what}, and it is not removed before the new one can be made`, async () => {
    await swarm.made(['a', 'c'])
    for (const { id, content } of await swarm.store.db
      .selectFrom('releases')
      .select(['id', 'content'])
      .execute()) {
      const { published, ports, ...rest } = JSON.parse(content)
      const old = JSON.stringify({ ...rest, ...(kept.length > 0 ? { ports } : {}) })
      await swarm.store.db.updateTable('releases').set({ content: old }).where('id', '=', id).execute()
    }
    swarm.broken.add('a2')
    await swarm.push(['a2', 'c'])
    deepEqual([...swarm.running.keys()].sort(), ['a', 'c'])
    swarm.broken.clear()
    await swarm.push(['a2', 'c'])
    deepEqual([[...swarm.running.keys()].sort(), await swarm.lastOf('a2')], end)
  })
}

test('R54 a stack that made room is removed although a repair of it was asked for meanwhile', async () => {
  await swarm.made(['a', 'c'])
  const { app_id: appId, id: release } = await swarm.store.db
    .selectFrom('releases')
    .innerJoin('apps', 'apps.id', 'releases.app_id')
    .select(['app_id', 'releases.id'])
    .where('apps.name', '=', 'a')
    .executeTakeFirstOrThrow()
  const ended = Promise.withResolvers<void>()
  swarm.store.events.subscribe(undefined, ({ kind, fields }) => {
    if (kind === 'deployment' && fields.app === 'a' && fields.state === 'failed') {
      ended.resolve()
    }
  })
  const trigger = { kind: 'drift', by: 'drift', detail: 'gone' } as const
  swarm.agents.answers['swarm.deploy'] = (
    (before = swarm.agents.answers['swarm.deploy']) =>
    async (params, options) => {
      const answer = await before?.(params, options)
      if (params.stack === 'a2') {
        await requestDeployment(swarm.store, { appId, kind: 'deploy', trigger, release })
        swarm.queue.wake()
        await ended.promise
      }
      return answer
    }
  )()
  await swarm.push(['a2', 'c'])
  deepEqual([...swarm.running.keys()].sort(), ['a2', 'c'], swarm.done.join())
  deepEqual(await swarm.appNames(), ['a2', 'c'])
})

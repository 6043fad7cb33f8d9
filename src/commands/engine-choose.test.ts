import { deepEqual, rejects } from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { ErrorKind } from '#lib/errors.ts'
import { claimProject } from './compose-store.ts'
import { engineChoose } from './engine-choose.ts'
import {
  ENGINE_HAS_DATA,
  ENGINE_IS_THE_SAME,
  ENGINE_NOT_FOR_APP,
  ENGINE_NOT_PUBLISHED,
  ENGINE_SAME_SWARM,
  ENGINE_TOO_OLD,
  ENGINE_UNKNOWN,
} from './engine-errors.ts'
import { mustReach } from './engine-reach.ts'
import { testHands } from './recorded-hands.test.ts'
import { handsOnEngines, type TestEngine } from './test-engines.ts'

async function aHost(context: TestContext, { local, big }: Record<string, Partial<TestEngine>> = {}) {
  const workspace = await mkdtemp(join(tmpdir(), 'engines-'))
  context.after(() => rm(workspace, { recursive: true }))
  const labels = { size: 'big' }
  const on = handsOnEngines(testHands([]), workspace, [
    { name: 'local', id: 'L', ...local },
    { name: 'big', id: 'B', ...big, facts: { labels, ...big?.facts } },
    { name: 'next', id: 'N', facts: { labels } },
  ])
  return { on, choose: (data: object) => engineChoose.run(on(), { app: 'shop', wish: 'big', ...data }) }
}

const OWN = { app: 'shop', routes: [], mounts: {} }
const MOVED = { current: 'local' }

test('R40 R42 the first engine with all labels is chosen, unless the app is on another one that has them', async context => {
  const { choose } = await aHost(context)
  deepEqual(await choose({ wish: { size: 'big' } }), { engine: 'big', version: '1' })
  deepEqual(await choose({ wish: { size: 'big' }, current: 'next' }), { engine: 'next', version: '1' })
})

const REFUSALS: readonly [string, ErrorKind<never>, Record<string, Partial<TestEngine>>, object][] = [
  ['an engine that is not there', ENGINE_UNKNOWN, {}, { wish: 'nowhere' }],
  ['labels that no engine has', ENGINE_UNKNOWN, {}, { wish: { size: 'small' } }],
  ['an engine of other apps', ENGINE_NOT_FOR_APP, { big: { facts: { apps: ['news-*'] } } }, {}],
  ['an engine that is too old', ENGINE_TOO_OLD, { big: { api: '1.40' } }, {}],
  ['one engine by two names', ENGINE_IS_THE_SAME, { big: { id: 'L' } }, MOVED],
  ['a move away from volumes of its own', ENGINE_HAS_DATA, holding('io.fairlead.app=shop'), MOVED],
  [
    'a move away from volumes of its Compose project',
    ENGINE_HAS_DATA,
    holding('com.docker.compose.project=web'),
    MOVED,
  ],
  [
    'a move away from volumes of its stack',
    ENGINE_HAS_DATA,
    holding('com.docker.stack.namespace=web'),
    MOVED,
  ],
  [
    'a move of a stack within its swarm',
    ENGINE_SAME_SWARM,
    { local: { swarm: 'one', stacks: new Map([['web', 'shop']]) }, big: { swarm: 'one' } },
    MOVED,
  ],
]

for (const [what, kind, engines, data] of REFUSALS) {
  test(`R42 ${what} is refused`, async context => {
    const { on, choose } = await aHost(context, engines)
    await claimProject(on(), 'web', OWN)
    await rejects(choose(data), kind.matches)
  })
}

test('R42 volumes of others, and an engine that does not answer any more, are in no way', async context => {
  const { on, choose } = await aHost(context, holding('com.docker.stack.namespace=news'))
  await claimProject(on(), 'web', OWN)
  deepEqual(await choose(MOVED), { engine: 'big', version: '1' })
  const away = await aHost(context, { local: { isAway: true } })
  deepEqual(await away.choose(MOVED), { engine: 'big', version: '1' })
})

test('R42 what needs a way to its containers is refused on an engine that publishes no ports', async context => {
  const { on } = await aHost(context)
  const place = { name: 'shop.example.org', ip: '10.1.0.16', port: 80 }
  await rejects(mustReach(on('big'), place, 'a domain'), ENGINE_NOT_PUBLISHED.matches)
})

function holding(label: string): Record<string, Partial<TestEngine>> {
  return { local: { volumes: { data: [label] } } }
}

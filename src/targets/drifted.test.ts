import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compose } from './compose.ts'
import { container } from './container.ts'
import type { DriftedParts } from './drifted-parts.ts'
import { anInput as aComposeInput, assertTellable, commands, everyTell, type World } from './test-compose.ts'
import { aContainer, anInput, commandsOf, settled } from './test-container.ts'

const ID = 'a'.repeat(64)
const NONE: DriftedParts = { containers: [], routes: [], files: [] }

function planned(drifted: Partial<DriftedParts>, world: World = {}) {
  const input = aComposeInput({ ...world, web: { id: ID, ...(world.web === 'none' ? {} : world.web) } })
  return compose.plan({ ...input, drifted: { ...NONE, ...drifted } } as never)
}

test('a container app that was changed by hand is made anew although its label says that it is as wanted', () => {
  const input = settled(anInput())
  assert.equal(container.plan(input).nothingToDo, true)
  const plan = container.plan({ ...input, drifted: { ...NONE, containers: [aContainer().id] } })
  assert.deepEqual(commandsOf(plan).apply, ['container.start'])
  assert.deepEqual(commandsOf(plan).prune, ['container.remove'])
  assert.ok(
    plan.changes.some(({ kind, why }) => kind === 'recreate' && why === 'somebody changed it by hand'),
  )
})

test('a route that was changed by hand is written again, and nothing else happens', () => {
  const input = settled(anInput())
  const plan = container.plan({ ...input, drifted: { ...NONE, routes: ['shop'] } })
  assert.deepEqual([commandsOf(plan).apply, commandsOf(plan).route], [[], ['route.point']])
  const made = planned({ routes: ['web.shop'] })
  assert.deepEqual([commands(made.apply), commands(made.route)], [[], ['route:web.shop: route.point']])
})

test('a service that was changed by hand gets a new container beside the old one, which then goes', () => {
  const made = planned({ containers: [ID] })
  assertTellable(everyTell(made))
  const change = made.changes.find(each => each.what === 'web')
  assert.deepEqual(change?.kind, 'replace')
  assert.match(change?.why ?? '', /somebody changed it by hand/)
  const told = [made.apply[0], made.verify[0], made.prune[0]]
  assert.deepEqual(
    told.map(each => each?.data.remade),
    [[ID], [ID], [ID]],
  )
  assert.deepEqual(made.apply[0]?.data.beside, ['web'])
})

test('one that does not run is made anew in its place', () => {
  const made = planned({ containers: [ID] }, { web: { state: 'paused' } })
  assert.deepEqual([made.apply[0]?.data.beside, made.apply[0]?.data.remade], [[], [ID]])
})

test('files that were edited on the host get their content back', () => {
  const name = 'b'.repeat(40)
  assert.deepEqual(planned({ containers: [ID], files: [name] }).apply[0]?.data.mend, [name])
})

test('nothing is made anew when what had changed is gone', () => {
  assert.equal(planned({ containers: ['f'.repeat(64)] }).nothingToDo, true)
})

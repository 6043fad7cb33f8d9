import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Opening } from '#firewall/opening.ts'
import type { Plan } from '#targets/target.ts'
import { withOpenings } from './plan-openings.ts'

const NOTHING: Plan = {
  ...{ build: [], push: [], apply: [], verify: [], route: [], watch: [], prune: [], undo: [] },
  ...{ release: { image: 'x' }, changes: [], nothingToDo: true },
}

function tcp(port: number, ...sources: string[]): Opening {
  return { protocol: 'tcp', first: port, last: port, sources }
}

test('an app that opens nothing has the plan that it had', () => {
  assert.equal(withOpenings(NOTHING, [], undefined), NOTHING)
  assert.equal(withOpenings(NOTHING, [], { content: {} }), NOTHING)
})

test('what is opened is told, kept with the release, and something to do although nothing else is', () => {
  const plan = withOpenings(NOTHING, [tcp(80), tcp(81)], undefined)
  assert.deepEqual(
    plan.changes.map(({ kind, what }) => `${kind} ${what}`),
    ['open tcp 80-81 from everybody'],
  )
  assert.deepEqual(plan.release.opens, plan.opens)
  assert.deepEqual([plan.nothingToDo, plan.closes], [false, false])
})

test('the same openings, put otherwise, are nothing to do', () => {
  const { release } = withOpenings(NOTHING, [tcp(80, '10.0.0.0/9', '10.128.0.0/9')], undefined)
  assert.equal(withOpenings(NOTHING, [tcp(80, '10.0.0.0/8')], { content: release }).nothingToDo, true)
})

test('what is open for a named list only is so in the plan and in the release', () => {
  const { changes, release } = withOpenings(NOTHING, [tcp(80, '@ci')], undefined)
  assert.deepEqual([changes[0]?.what, release.opens], ['tcp 80 from @ci', [tcp(80, '@ci')]])
  const plan = withOpenings(NOTHING, [tcp(80, '@ci', '10.0.0.0/8')], { content: release })
  assert.equal(plan.nothingToDo, false)
})

test('an opening that is wanted no more, or for others, is closed', () => {
  const { release } = withOpenings(NOTHING, [tcp(80), tcp(90)], undefined)
  const plan = withOpenings(NOTHING, [tcp(80, '10.0.0.0/8')], { content: release })
  assert.deepEqual(
    plan.changes.map(({ kind, what }) => `${kind} ${what}`),
    ['open tcp 80 from 10.0.0.0/8', 'close tcp 80 from everybody', 'close tcp 90 from everybody'],
  )
  assert.equal(plan.closes, true)
  assert.equal(withOpenings(NOTHING, [], { content: release }).closes, true)
})

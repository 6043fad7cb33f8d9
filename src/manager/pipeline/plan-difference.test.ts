import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Plan } from '#targets/target.ts'
import { planDifference } from './plan-difference.ts'

const start = {
  key: 'start',
  command: 'container.start',
  data: { image: 'a', environment: { KEY: '[secret]' } },
}
const plan: Plan = {
  ...{ build: [], push: [], apply: [start], verify: [], route: [], watch: [], prune: [], undo: [] },
  ...{
    release: {},
    changes: [{ kind: 'recreate', what: 'web', why: 'its image changed' }],
    nothingToDo: false,
  },
}

test('plans differ by the changes that came and went', () => {
  const after: Plan = { ...plan, changes: [{ kind: 'delete-volume', what: 'data' }] }
  assert.deepEqual(planDifference(plan, after), [
    'new: delete volume data',
    'no longer: recreate web (its image changed)',
  ])
  const image = { kind: 'image', what: 'web', from: 'a', to: 'b' } as const
  assert.deepEqual(planDifference(plan, { ...plan, changes: [...plan.changes, image] }), [
    'new: image web: a → b',
  ])
})

test('where the changes are the same they differ by what is told, in names and never in values', () => {
  const other = { ...start, data: { ...start.data, environment: { KEY: 'value-2' } } }
  assert.deepEqual(planDifference(plan, { ...plan, apply: [other] }), [
    'apply: container.start has another environment',
  ])
  assert.deepEqual(planDifference(plan, { ...plan, apply: [], prune: [start] }), [
    'apply: container.start is gone',
    'prune: container.start is new',
  ])
  assert.deepEqual(planDifference(plan, { ...plan, release: { x: 1 } }), [
    'what it would keep as the release changed',
  ])
})

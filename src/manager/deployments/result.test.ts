import { deepEqual } from 'node:assert/strict'
import { test } from 'node:test'
import type { Deployment, StepRecord } from './deployment.ts'
import { resultOf } from './result.ts'

const PLAN = {
  ...{ push: [], verify: [], route: [], watch: [], prune: [], undo: [] },
  build: [{ key: 'web', command: 'image.build', data: {} }],
  apply: [{ key: 'up', command: 'swarm.up', data: {} }],
  changes: [
    { kind: 'build', what: 'web' },
    { kind: 'untouched', what: 'db' },
  ],
}

function result(deployment: Partial<Deployment>, steps: readonly Partial<StepRecord>[] = []) {
  const whole = { app: 'shop', kind: 'deploy', commit: 'c0ffee', plan: PLAN, ...deployment } as Deployment
  return resultOf(whole, steps as StepRecord[]).shop
}

test('R58 the result of a deployment is what it changed, and its warnings', () => {
  const error = { code: 'X', status: 500, retry: 'never', message: 'No registry.', hint: 'Wait.' } as const
  deepEqual(
    result({ state: 'succeeded', outcome: 'deployed' }, [{ name: 'prune', state: 'failed', error }]),
    [{ result: 'build web' }, { result: 'deployed at commit c0ffee' }, { warning: 'prune: No registry.' }],
  )
})

test('R58 where nothing was to be done the result says so', () => {
  for (const outcome of ['nothing-to-do', 'unaffected', 'not-asked', 'own-commit']) {
    deepEqual(result({ state: 'succeeded', outcome }), [
      { result: 'There was nothing to do so I did nothing' },
    ])
  }
})

test('R56 R58 the result of a dry run is the commands that would be run', () => {
  deepEqual(result({ state: 'succeeded', outcome: 'dry-run' }), [
    { result: 'Dry run: nothing was done.' },
    { result: 'build web' },
    { result: 'would run in build: image.build (web)' },
    { result: 'would run in apply: swarm.up (up)' },
  ])
})

test('R58 a failure is an error with each of its problems, and what has not ended is no success', () => {
  const problems = [{ path: 'x', message: 'has no "enabled"', file: 'a.json', line: 2 }]
  const error = { code: 'X', status: 422, retry: 'never', message: 'Not valid.', hint: 'Mend it.' } as const
  deepEqual(result({ state: 'failed', failedStep: 'read', error: { ...error, problems } }), [
    { error: 'read: Not valid. Mend it.' },
    { error: 'a.json:2 has no "enabled"' },
  ])
  deepEqual(result({ state: 'running' }), [{ warning: 'It has not ended: it is running.' }])
  deepEqual(result({ state: 'superseded' }), [{ warning: 'A newer deployment took over.' }])
})

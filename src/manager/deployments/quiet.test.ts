import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isLonger, quietFor, quietLeft } from './quiet.ts'

const AT_ONCE = { starts_at: null, starts_by: null }
const QUEUED = { starts_at: 1500, starts_by: 6000 }

test('only what is asked for again waits, and neither a rollback, nor a removal, nor a repair', () => {
  const busy = { now: 1400, queued: QUEUED, isRunning: true }
  assert.deepEqual(quietFor({ kind: 'deploy' }, busy), { starts_at: 1900, starts_by: 6000 })
  assert.deepEqual(quietFor({ kind: 'deploy' }, { ...busy, now: 5900 }), { starts_at: 6000, starts_by: 6000 })
  assert.deepEqual(quietFor({ kind: 'deploy' }, { ...busy, queued: undefined, isRunning: false }), AT_ONCE)
  assert.deepEqual(quietFor({ kind: 'rollback', release: 'r1' }, busy), AT_ONCE)
  assert.deepEqual(quietFor({ kind: 'deploy', release: 'r1' }, busy), AT_ONCE)
  assert.deepEqual(quietFor({ kind: 'remove' }, busy), AT_ONCE)
})

test('requests that come within a few milliseconds are not written down one by one', () => {
  assert.equal(isLonger({ ...QUEUED, starts_at: 1510 }, QUEUED), false)
  assert.equal(isLonger({ ...QUEUED, starts_at: 1560 }, QUEUED), true)
})

test('a machine whose clock is set back does not hold a deployment up', () => {
  assert.equal(quietLeft(1500, 1400), 100)
  assert.equal(quietLeft(1500, 1600), 0)
  assert.equal(quietLeft(null, 1400), 0)
  assert.equal(quietLeft(3_600_000, 1400), 0)
})

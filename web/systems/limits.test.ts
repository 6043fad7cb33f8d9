import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readLimits, USUAL_LIMITS } from './limits.ts'

test('limits are read as people write them, and a disk without one has all that its pool has', () => {
  assert.deepEqual(readLimits({ memory: '512 MB', cpus: '0.5', processes: '200', disk: '' }), {
    limits: { memory_bytes: 512 * 1024 ** 2, disk_bytes: null, cpus: 0.5, processes: 200 },
    problems: {},
  })
})

test('what nobody can read is said at its field', () => {
  const { problems } = readLimits({ memory: 'much', cpus: '0', processes: '3', disk: 'all' })
  assert.deepEqual(Object.keys(problems).sort(), ['cpus', 'disk', 'memory', 'processes'])
  assert.deepEqual(readLimits(USUAL_LIMITS).problems, {})
})

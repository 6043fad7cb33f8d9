import assert from 'node:assert/strict'
import { test } from 'node:test'
import { atMostEvery } from './at-most-every.ts'

test('each key has its turn once in a while, counted from its last one', () => {
  let now = 5
  const isDue = atMostEvery({ monotonic: () => now }, 100)
  const asked = (...keys: string[]) => keys.map(isDue)
  assert.deepEqual(asked('a', 'a', 'b', 'b'), [true, false, true, false])
  now = 104
  assert.deepEqual(asked('a', 'b'), [false, false])
  now = 105
  assert.deepEqual(asked('a', 'b', 'a'), [true, true, false])
})

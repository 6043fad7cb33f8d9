import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId } from './id.ts'

test('ids sort in the order in which they were made, also within one millisecond', () => {
  const made = Array.from({ length: 5000 }, newId)
  assert.deepEqual(made.toSorted(), made)
  assert.equal(new Set(made).size, made.length)
})

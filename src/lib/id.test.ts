import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId, startIdsAfter } from './id.ts'

const FORM = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

function sortsAndIsUnique(made: readonly string[]): void {
  assert.deepEqual(made.toSorted(), made)
  assert.equal(new Set(made).size, made.length)
  assert.ok(made.every(id => FORM.test(id)))
}

test('ids sort in the order in which they were made, also within one millisecond', () => {
  sortsAndIsUnique(Array.from({ length: 5000 }, newId))
})

test('ids sort after one of a clock that was ahead, at once, and more of them than its millisecond has room for', () => {
  const ahead = `${(Date.now() + 3_600_000).toString(16).padStart(12, '0')}`
  const id = `${ahead.slice(0, 8)}-${ahead.slice(8)}-7ffe-8000-000000000000`
  startIdsAfter(id)
  sortsAndIsUnique([id, ...Array.from({ length: 9000 }, newId)])
  startIdsAfter('0'.repeat(36))
  assert.ok(newId() > id)
})

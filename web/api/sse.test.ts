import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseEvent } from './sse.ts'

test('an event has its id, its name and all lines of its data', () => {
  assert.deepEqual(parseEvent('id: 7\nevent: step\ndata: {"a":\ndata: 1}'), [
    { id: '7', name: 'step', data: '{"a":\n1}' },
  ])
})

test('a comment and a pause for the next attempt are no events', () => {
  assert.deepEqual(parseEvent(': still here'), [])
  assert.deepEqual(parseEvent('retry: 2000'), [])
})

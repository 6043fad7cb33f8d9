import assert from 'node:assert/strict'
import { test } from 'node:test'
import { durationText, fullTime, relativeTime } from './clock.ts'

test('a duration is told in the two units that matter', () => {
  assert.deepEqual([840, 4_200, 185_000, 300_000, 7_440_000].map(durationText), [
    '840 ms',
    '4.2 s',
    '3 min 5 s',
    '5 min',
    '2 h 4 min',
  ])
})

test('a time is told relative to now, and in whole with its zone', () => {
  const now = Date.parse('2026-03-01T12:00:00Z')
  assert.equal(relativeTime('2026-03-01T11:59:30Z', now), 'just now')
  assert.equal(relativeTime('2026-03-01T11:55:00Z', now), '5 min. ago')
  assert.match(fullTime('2026-03-01T11:55:00Z'), /Mar 1, 2026.*(?:UTC|GMT|[A-Z]{3,4})/)
})

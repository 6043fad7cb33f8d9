import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Line, LogLines } from './lines.ts'

const line = (text: string): Line => ({ text, at: '2026-01-01T00:00:00Z', step: '', stream: 'stdout' })

test('a log is searched as it is read, without its controls and whatever the case of letters', () => {
  const lines = new LogLines()
  lines.add([line('one'), line('\u001b[31mBad\u001b[0m gateway'), line('three')])
  assert.deepEqual(lines.find('bad gate'), [1])
  lines.add([line('badgate'), line('BAD GATE')])
  assert.deepEqual(lines.find('bad gate'), [1, 4])
})

test('of a log without an end the newest 200,000 lines are kept, and how many went is told', () => {
  const lines = new LogLines()
  for (let at = 0; at < 21; at++) {
    lines.add(Array.from({ length: 10_000 }, (_, index) => line(String(at * 10_000 + index))))
  }
  assert.deepEqual({ ...lines.seen }, { count: 200_000, left: 10_000 })
  assert.equal(lines.at(0)?.text, '10000')
})

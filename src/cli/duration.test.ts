import { equal } from 'node:assert/strict'
import { test } from 'node:test'
import { ago, inWords } from './duration.ts'

for (const [ms, words] of [
  [0, '0 ms'],
  [12.4, '12 ms'],
  [1_250, '1.3 s'],
  [59_940, '59.9 s'],
  [59_990, '1 min'],
  [125_000, '2 min 5 s'],
] as const) {
  test(`${ms} ms are ${words}`, () => equal(inWords(ms), words))
}

for (const [seconds, words] of [
  [0, 'now'],
  [59, '59 s ago'],
  [60, '1 min ago'],
  [7_200, '2 h ago'],
  [90_000, '1 d ago'],
  [90_000_000, '1041 d ago'],
] as const) {
  test(`what was ${seconds} s before is ${words}`, () => {
    const now = Date.parse('2026-11-20T12:00:00Z')
    equal(ago(new Date(now - seconds * 1_000).toISOString(), now), words)
  })
}

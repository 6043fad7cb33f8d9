import assert from 'node:assert/strict'
import { test } from 'node:test'
import { secondsToWait } from './retry-after.ts'

const date = 'Sat, 21 Nov 2026 12:00:00 GMT'
const at = Date.parse(date) / 1000

for (const [what, headers, seconds] of [
  ['seconds', { 'retry-after': '7' }, 7],
  ['a date, by the clock of the server', { 'retry-after': 'Sat, 21 Nov 2026 12:02:00 GMT', date }, 120],
  ['a date that has passed', { 'retry-after': 'Sat, 21 Nov 2026 11:00:00 GMT', date }, 1],
  ['a year', { 'retry-after': '31536000' }, 3600],
  ['a quota that is used up', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': `${at + 90}`, date }, 90],
  ['a quota in the words of GitLab', { 'ratelimit-remaining': '0', 'ratelimit-reset': `${at + 5}`, date }, 5],
  [
    'a quota that is left',
    { 'x-ratelimit-remaining': '4', 'x-ratelimit-reset': `${at + 90}`, date },
    undefined,
  ],
  ['nothing', {}, undefined],
  ['nonsense', { 'retry-after': 'soon' }, undefined],
  ['a date without a clock', { 'retry-after': date }, undefined],
] as const) {
  test(`a server that says ${what} is left alone for ${seconds ?? 'no known'} seconds`, () => {
    assert.equal(secondsToWait(headers), seconds)
  })
}

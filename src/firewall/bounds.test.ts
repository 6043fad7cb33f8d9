import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Bounds, refusals } from './bounds.ts'
import type { Opening } from './opening.ts'

const BOUNDS: Bounds = {
  keep: [
    { protocol: 'tcp', first: 22, last: 22, sources: [] },
    { protocol: 'tcp', first: 7444, last: 7444, sources: [] },
  ],
  ports: [{ first: 1024, last: 65_535 }],
  never: [{ first: 2375, last: 2377 }],
  sources: ['10.0.0.0/8', 'fd00::/8'],
  inner: [],
}

function why(opening: Partial<Opening>): string {
  const whole = {
    protocol: 'tcp',
    first: 8080,
    last: opening.first ?? 8080,
    sources: ['10.1.0.0/16'],
    ...opening,
  }
  return refusals([whole as Opening], BOUNDS)
    .map(({ message }) => message)
    .join('; ')
}

for (const [what, opening, reason] of [
  ['SSH', { first: 22 }, /tcp 22, which only the owner/],
  ['the port of the guardian', { first: 7444 }, /tcp 7444, which only the owner/],
  ['a range over it', { first: 7000, last: 7999 }, /tcp 7444/],
  ['everything', { first: 1, last: 65_535 }, /tcp 22/],
  ['a privileged port', { first: 53 }, /not within the ports that may be opened \(1024-65535\)/],
  ['a port that is never opened', { first: 2370, last: 2380 }, /tcp 2375-2377, which is never opened/],
  ['a range that ends before it begins', { first: 9000, last: 8000 }, /ends before it begins/],
  ['everybody', { sources: [] }, /for everybody/],
  ['everybody, said otherwise', { sources: ['0.0.0.0/0'] }, /0\.0\.0\.0\/0/],
  [
    'addresses beside those that are allowed',
    { sources: ['10.0.0.0/7'] },
    /no address or network|10\.0\.0\.0\/7/,
  ],
  ['a source that is none', { sources: ['10.0.0.0/8;drop'] }, /no address or network/],
  ['IPv6 addresses beside those that are allowed', { sources: ['2001:db8::/32'] }, /2001:db8/],
] as const satisfies readonly (readonly [string, Partial<Opening>, RegExp])[]) {
  test(`F01 ${what} may not be opened`, () => {
    assert.match(why(opening), reason)
  })
}

test('what is within the bounds may be opened', () => {
  assert.equal(why({}), '')
  assert.equal(why({ protocol: 'udp', first: 7444 }), '')
  assert.equal(why({ sources: ['fd12::/16', '10.9.9.9'] }), '')
})

test('X01 openings that overlap thousands of times are refused before anything is made of them', () => {
  const sources = Array.from({ length: 35 }, (_, at) => `10.1.${at}.0/24`)
  const nested = (count: number) =>
    Array.from({ length: count }, (_, at) => ({
      ...{ protocol: 'tcp' as const, first: 10_000 + at, last: 20_000 - at, sources },
    }))
  assert.deepEqual(refusals(nested(10), BOUNDS), [])
  const [problem, ...more] = refusals(nested(2_000), BOUNDS)
  assert.deepEqual([problem?.path, more], ['openings', []])
  assert.match(problem?.message ?? '', /pairs of ports and addresses, more than 200000$/)
})

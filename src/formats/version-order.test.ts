import { deepEqual, equal, ok } from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compareVersions } from './version-order.ts'

const highest = (...tags: readonly string[]) => [...tags].sort(compareVersions).at(-1)

test('versions are in the order of section 11 of Semantic Versioning, however they are mixed', () => {
  const ascending = [
    ...['1.0.0-alpha', '1.0.0-alpha.1', '1.0.0-alpha.beta', '1.0.0-beta', '1.0.0-beta.2', '1.0.0-beta.11'],
    ...['1.0.0-rc.1', '1.0.0', '1.0.1', '1.1.0-0.3.7', '1.1.0', '1.9.0', '1.10.0', '2.0.0-x-y-z.4', '2.0.0'],
  ]
  for (const [index, lower] of ascending.entries()) {
    for (const higher of ascending.slice(index + 1)) {
      ok(compareVersions(lower, higher) < 0, `${lower} < ${higher}`)
      ok(compareVersions(`v${higher}`, lower) > 0, `v${higher} > ${lower}`)
    }
  }
})

test('a release is higher than its candidates, and the tag that does not move than those that do', () => {
  equal(highest('v1.0.0-rc.1', 'v1.0.0', 'v1.0.0-rc.2'), 'v1.0.0')
  equal(highest('v1', 'v1.4.2', 'v1.4'), 'v1.4.2')
  equal(highest('v1.0.0', 'v1', 'v1.0'), 'v1.0.0')
  equal(highest('2024.09.30', '2024.10.01'), '2024.10.01')
  equal(highest(`1.0.0-rc.${'9'.repeat(30)}`, `1.0.0-rc.1${'0'.repeat(30)}`), `1.0.0-rc.1${'0'.repeat(30)}`)
})

test('what is no such version is lower than every one that is, and in an order of its own', () => {
  deepEqual(['1.0.0-rc.1', '9lives', '2.0rc10', '2.0rc9'].sort(compareVersions), [
    ...['2.0rc9', '2.0rc10', '9lives', '1.0.0-rc.1'],
  ])
})

test('no two tags are equal, and the order of a list does not change the highest', () => {
  const part = fc.constantFrom('0', '1', '01', '10', 'a', 'rc', 'rc-1', 'A')
  const tag = fc
    .tuple(
      fc.constantFrom('', 'v'),
      fc.array(fc.constantFrom('0', '1', '01', '10'), { minLength: 1, maxLength: 4 }),
      fc.array(part, { maxLength: 3 }),
    )
    .map(([v, core, pre]) => `${v}${core.join('.')}${pre.length > 0 ? `-${pre.join('.')}` : ''}`)
  fc.assert(
    fc.property(tag, tag, tag, (a, b, c) => {
      equal(Math.sign(compareVersions(a, b)), -Math.sign(compareVersions(b, a)))
      equal(compareVersions(a, b) === 0, a === b)
      equal(highest(a, b, c), highest(c, a, b))
    }),
  )
})

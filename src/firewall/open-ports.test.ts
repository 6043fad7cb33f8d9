import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readAddresses, writeNetworks } from './address-range.ts'
import { asOpenings, openPorts } from './open-ports.ts'
import type { Opening } from './opening.ts'

const tcp = (first: number, last: number, ...sources: string[]): Opening => ({
  ...{ protocol: 'tcp', first, last },
  sources,
})

test('neighbouring and overlapping openings are one, and sources are merged only where they overlap', () => {
  const open = asOpenings(
    openPorts([
      tcp(80, 80),
      tcp(81, 90),
      tcp(100, 110, '10.0.0.0/9'),
      tcp(105, 120, '10.128.0.0/9'),
      tcp(120, 120),
    ]),
  )
  assert.deepEqual(open, [
    tcp(80, 90),
    tcp(100, 104, '10.0.0.0/9'),
    tcp(105, 110, '10.0.0.0/8'),
    tcp(111, 119, '10.128.0.0/9'),
    tcp(120, 120),
  ])
})

test('the name of a list stays a source: it neither goes nor lets everybody in', () => {
  const open = asOpenings(
    openPorts([
      tcp(80, 80, '@ci'),
      tcp(81, 81, '@ci'),
      tcp(82, 82, '10.0.0.0/8', '@hooks', '@ci'),
      tcp(90, 90, '@ci'),
      tcp(90, 90),
    ]),
  )
  assert.deepEqual(open, [tcp(80, 81, '@ci'), tcp(82, 82, '@ci', '@hooks', '10.0.0.0/8'), tcp(90, 90)])
})

for (const [text, written] of [
  ['10.1.2.3', '10.1.2.3'],
  ['0.0.0.0/0', '0.0.0.0/0'],
  ['FD00:0:0:1::/64', 'fd00:0:0:1::/64'],
  ['::/0', '::/0'],
  ['::1', '::1'],
  ['2001:db8::1:0:0:1', '2001:db8::1:0:0:1'],
  ['::ffff:10.0.0.1', '::ffff:a00:1'],
  ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
] as const) {
  test(`${text} is read and written as ${written}`, () => {
    const range = readAddresses(text)
    assert.deepEqual(range && writeNetworks(range), [written])
  })
}

for (const text of [
  '10.0.0.1/8',
  '10.0.0.0/33',
  'fe80::1%eth0',
  '10.0.0',
  'all',
  '',
  '80;drop',
  '10.0.0.0/8/8',
  '10.0.0.0/-1',
]) {
  test(`F01 "${text}" is no address or network`, () => {
    assert.equal(readAddresses(text), undefined)
  })
}

test('a port is open for an address exactly when one of the openings says so', () => {
  const port = fc.integer({ min: 1, max: 12 })
  const source = fc.constantFrom('10.0.0.0/30', '10.0.0.2', '10.0.0.4/31', '10.0.0.0/29')
  const opening = fc
    .tuple(port, port, fc.array(source, { maxLength: 3 }))
    .map(([one, other, sources]) => tcp(Math.min(one, other), Math.max(one, other), ...sources))
  const isOpen = (openings: readonly Opening[], at: number, from: number) =>
    openings.some(
      ({ first, last, sources }) =>
        first <= at &&
        at <= last &&
        (sources.length === 0 ||
          sources.some(text => {
            const range = readAddresses(text)
            const address = readAddresses(`10.0.0.${from}`)
            return range && address && range.first <= address.first && address.last <= range.last
          })),
    )
  fc.assert(
    fc.property(fc.array(opening, { maxLength: 5 }), openings => {
      const made = asOpenings(openPorts(openings))
      for (let at = 1; at <= 12; at++) {
        for (let from = 0; from < 8; from++) {
          assert.equal(isOpen(made, at, from), isOpen(openings, at, from))
        }
      }
      for (const [index, next] of made.slice(1).entries()) {
        assert.ok((made[index]?.last ?? 0) < next.first)
      }
    }),
    { numRuns: 200 },
  )
})

import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { keepResults } from './results.ts'
import { slopeOf, sparkline } from './slope.ts'

test('a run replaces what it has measured and leaves the rest with its date, in the order of the ids', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fairlead-results-'))
  try {
    const old = { at: '2026-01-02T00:00:00Z', load: null, machine: 'a box' }
    const figure = { id: 'P10', what: 'grows', value: 4, unit: 'MiB', target: '+64' } as const
    await keepResults(folder, [figure, { ...figure, id: 'P2', what: 'webhooks', unit: '/s' }], old)
    const now = { at: '2026-03-04T00:00:00Z', load: 0.5, machine: 'a box' }
    const table = await keepResults(folder, [{ ...figure, value: 7.4 }], now)
    const rows = (await readFile(table, 'utf8')).split('\n').filter(line => /^\| P/.test(line))
    assert.deepEqual(rows, [
      '| P2 | webhooks | 4 /s | +64 |  | 2026-01-02, load not noted |',
      '| P10 | grows | 7 MiB | +64 |  | 2026-03-04, load 0.5 |',
    ])
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('the slope is that of the line that lies closest, and the picture goes from the lowest to the highest', () => {
  assert.equal(slopeOf([0, 1, 2, 3], [1, 3, 5, 7]), 2)
  assert.equal(slopeOf([0, 1, 2], [5, 8, 5]), 0)
  assert.equal(slopeOf([1], [1]), 0)
  assert.equal(sparkline([0, 7]), '▁█')
  assert.equal(sparkline(Array.from({ length: 400 }, () => 3)).length, 40)
})

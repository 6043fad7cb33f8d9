import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { readUsage } from './container-usage.ts'

const READ = {
  id: 'abc',
  name: '/shop-1',
  read: '2026-01-01T00:00:01.5Z',
  cpu_stats: { cpu_usage: { total_usage: 33_893_979 } },
}

test('files that are cached and unused are no memory in use, in both versions of control groups', () => {
  for (const [version, stats] of [
    ['1', { inactive_file: 0, total_inactive_file: 400 }],
    ['2', { inactive_file: 400 }],
  ] as const) {
    const usage = readUsage({ ...READ, memory_stats: { usage: 1000, limit: 5000, stats } })
    deepEqual(
      usage,
      {
        id: 'abc',
        name: 'shop-1',
        readAt: Date.UTC(2026, 0, 1, 0, 0, 1, 500),
        processorNanoseconds: 33_893_979,
        memoryBytes: 600,
        memoryLimitBytes: 5000,
      },
      version,
    )
  }
})

test('of a container that has just ended there is no figure, not one of nothing', () => {
  equal(readUsage({ ...READ, read: '0001-01-01T00:00:00Z', memory_stats: {} }), undefined)
})

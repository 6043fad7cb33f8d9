import assert from 'node:assert/strict'
import { test } from 'node:test'
import { timesOf } from './deployment-times.ts'

const base = { created_at: '2026-01-01T00:00:10Z', waiting_since: null, approved: null }

test('of deployments that ended it is told how long they waited and worked, oldest first', () => {
  const newer = { ...base, created_at: '2026-01-01T00:01:00Z', started_at: '2026-01-01T00:01:00Z' }
  assert.deepEqual(
    timesOf([
      { ...newer, finished_at: '2026-01-01T00:01:04Z' },
      { ...base, started_at: '2026-01-01T00:00:12Z', finished_at: '2026-01-01T00:00:20Z' },
    ]).map(({ waited, took }) => [waited, took]),
    [
      [2, 8],
      [0, 4],
    ],
  )
})

test('what never began and what a person let wait is left out', () => {
  const approved = { plan_hash: '', by: 'ada', at: base.created_at }
  const ended = { ...base, started_at: base.created_at, finished_at: base.created_at }
  assert.deepEqual(
    timesOf([
      { ...base, started_at: null, finished_at: null },
      { ...ended, approved },
    ]),
    [],
  )
})

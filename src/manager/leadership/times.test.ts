import { ok } from 'node:assert/strict'
import { test } from 'node:test'
import { LETS_GO_MS } from '#manager/store/postgres-session.ts'
import { GIVEN_UP_MS, RENEW_MS } from './lead.ts'
import { LOOK_MS, SILENT_MS } from './standby.ts'

/** When a leader that is cut off has ended at the latest: it looks each time that it renews. */
const ENDED_MS = GIVEN_UP_MS + RENEW_MS

test('a leader that is cut off, or says nothing, has ended before another one may lead', () => {
  ok(ENDED_MS < LETS_GO_MS, 'before the server gives its lock away')
  ok(ENDED_MS < SILENT_MS, 'before one that stands by ends its connection')
})

test('the look for a killed leader leaves most of the 10 s in which another one leads to its start', () => {
  // The lock of a killed process is free when its socket closes; one look may just have missed that.
  ok(2 * LOOK_MS <= 5_000)
})

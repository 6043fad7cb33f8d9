import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestStore } from '#manager/deployments/test-store.ts'
import { NOBODY } from '#manager/outbox/interest.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { certificateEnd, warningDays, warningOf } from './certificate-end.ts'
import { tendHosts } from './tend-hosts.ts'

const DAY_MS = 24 * 3_600_000
const NOW = 100 * DAY_MS

test('R75 people are told at 29, 14, 7 and 1 days before a certificate ends, and when it has', () => {
  const days = [30, 29, 15, 14, 8, 7, 2, 1, 0, -1].map(left => warningDays(NOW + left * DAY_MS, NOW))
  assert.deepEqual(days, [undefined, 29, 29, 14, 14, 7, 7, 1, 1, 1])
  const said = (left: number) => warningOf({ name: 'box', certificateEndsAt: NOW + left * DAY_MS }, NOW)
  assert.equal(said(30), undefined)
  assert.match(said(14) ?? '', /ends in 14 days\. It renews it by itself/)
  assert.match(said(1) ?? '', /ends in 1 day\./)
  assert.match(said(0) ?? '', /has ended.*fairlead hosts remove box/)
})

test('R75 the newest certificate counts, and a host is told of once for each of those days', async () => {
  const store = await openTestStore()
  try {
    const at = (days: number) => ({ notAfter: new Date(store.clock.now() + days * DAY_MS).toISOString() })
    const identity = JSON.stringify({ keyId: '0', certificates: [at(3), at(6)] })
    assert.ok(certificateEnd({ identity }) > store.clock.now() + 5 * DAY_MS)
    const host = { name: 'box', role: 'worker', address: 'x:1', identity, created_at: 1 } as const
    await store.db.insertInto('hosts').values(host).execute()
    let told = 0
    const interest = () => {
      told += 1
      return NOBODY
    }
    const parts = { ...store, outbox: { ...store.outbox, interest } } as unknown as ManagerParts
    await tendHosts(parts)
    await tendHosts(parts)
    const row = await store.db.selectFrom('hosts').select('warned_days').executeTakeFirstOrThrow()
    assert.deepEqual([row.warned_days, told], [7, 1])
    await store.db.updateTable('hosts').set({ revoked_at: 1, warned_days: null }).execute()
    await tendHosts(parts)
    assert.equal(told, 1, 'one that was shut out is not to be renewed')
  } finally {
    await store.close()
  }
})

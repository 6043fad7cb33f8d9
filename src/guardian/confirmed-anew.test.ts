import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Firewall } from '#commands/firewall-data.ts'
import { TestClock } from '#lib/test-clock.ts'
import { confirmedAnew } from './confirmed-anew.ts'

const settle = () => Promise.resolve()

test('F02 only a connection that was made with the change in force confirms it', async () => {
  const clock = new TestClock(1_000)
  const confirmed: string[] = []
  const inner: Firewall = {
    observe: () => Promise.reject(new Error('not asked')),
    apply: () => Promise.resolve({ change: 'c1', opened: [], closed: [] }),
    confirm: change => {
      confirmed.push(change)
      return Promise.resolve()
    },
  }
  const firewall = confirmedAnew(inner, clock)
  const before = clock.monotonic()
  await clock.pass(10, settle)
  await firewall.apply({ openings: [], confirmWithinMs: 60_000 })
  // The second one was there before the change and may have been upgraded after it.
  for (const arrivedAt of [undefined, before, clock.monotonic()]) {
    await assert.rejects(firewall.confirm('c1', arrivedAt), { code: 'CONFIRMED_OVER_OLD_CONNECTION' })
  }
  await clock.pass(1, settle)
  await firewall.confirm('c1', clock.monotonic())
  assert.deepEqual(confirmed, ['c1'])
})

test('after a restart of the guardian every connection is a new one', async () => {
  const confirmed: string[] = []
  const firewall = confirmedAnew(
    {
      observe: () => Promise.reject(new Error('not asked')),
      apply: () => Promise.reject(new Error('not asked')),
      confirm: change => {
        confirmed.push(change)
        return Promise.resolve()
      },
    },
    new TestClock(1_000),
  )
  await firewall.confirm('c1')
  assert.deepEqual(confirmed, ['c1'])
})

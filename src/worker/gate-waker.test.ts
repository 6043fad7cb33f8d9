import { equal } from 'node:assert/strict'
import { test } from 'node:test'
import type { Awake } from '#commands/container-sleep.ts'
import { TestClock } from '#lib/test-clock.ts'
import { createWaker } from './gate-waker.ts'

test('many requests look once, and not again while it is known to run', async () => {
  let looks = 0
  let next: Awake = 'waking'
  const clock = new TestClock(0)
  const waker = createWaker({
    clock,
    async wake() {
      looks++
      return next
    },
  })
  const answers = await Promise.all([
    waker.ask('churn', true),
    waker.ask('churn', true),
    waker.ask('churn', true),
  ])
  equal(`${answers} ${looks}`, 'waking,waking,waking 1')
  next = 'awake'
  equal(await waker.ask('churn', true), 'awake')
  equal(await waker.ask('churn', true), 'awake')
  equal(looks, 2)
  await clock.pass(2_001, async () => {})
  equal(looks, 3, 'for those who were let through without a look')
  await clock.pass(2_001, async () => {})
  equal(looks, 3)
  await waker.ask('churn', true)
  equal(looks, 4)
  waker.forget('churn')
  await waker.ask('churn', true)
  equal(looks, 5)
})

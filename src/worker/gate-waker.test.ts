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

/** A server that is started, and is as told when it is looked at again. */
function startedServer(clock: TestClock, after: Awake) {
  const seen = { starts: 0, deployment: 'd1', after }
  let runs = false
  const waker = createWaker({
    clock,
    deploymentOf: () => seen.deployment,
    async wake(_, { isVisit, whenStarted }) {
      if (!runs && !isVisit) {
        return 'gone'
      }
      if (!runs) {
        whenStarted?.()
        seen.starts++
      }
      runs = seen.after !== 'gone'
      return seen.after === 'gone' ? 'waking' : seen.after
    },
  })
  const sleep = () => {
    runs = false
  }
  return { seen, ask: () => waker.ask('churn', true), sleep }
}

test('one that ends at each start is started three times, left alone for minutes, and then tried again', async () => {
  const clock = new TestClock(0)
  const { seen, ask } = startedServer(clock, 'gone')
  for (const expected of ['waking', 'waking', 'waking', 'failing', 'failing']) {
    equal(await ask(), expected)
    await clock.pass(1_000, async () => {})
  }
  equal(seen.starts, 3)
  await clock.pass(300_000, async () => {})
  equal(await ask(), 'waking')
  equal(seen.starts, 4)
  await ask()
  await ask()
  equal(await ask(), 'failing')
  seen.deployment = 'd2'
  equal(await ask(), 'waking', 'another deployment has not failed')
})

test('one that runs and never answers is given up on, and one that stayed up begins anew', async () => {
  const clock = new TestClock(0)
  const silent = startedServer(clock, 'waking')
  equal(await silent.ask(), 'waking')
  await clock.pass(121_000, async () => {})
  equal(await silent.ask(), 'failing')
  silent.seen.after = 'awake'
  equal(await silent.ask(), 'awake')

  const short = startedServer(clock, 'gone')
  await short.ask()
  await short.ask()
  short.seen.after = 'awake'
  equal(await short.ask(), 'awake')
  await clock.pass(121_000, async () => {})
  short.seen.after = 'gone'
  await short.ask()
  for (const expected of ['waking', 'waking', 'waking', 'failing']) {
    equal(await short.ask(), expected)
  }
})

test('one whose visitor left before it answered has not failed, however often, when it is woken another day', async () => {
  const clock = new TestClock(0)
  const { seen, ask, sleep } = startedServer(clock, 'waking')
  for (const day of [1, 2, 3, 4, 5]) {
    equal(await ask(), 'waking', `day ${day}`)
    sleep()
    await clock.pass(86_400_000, async () => {})
  }
  for (const wait of [1_000, 1_000, 86_400_000]) {
    equal(await ask(), 'waking')
    sleep()
    await clock.pass(wait, async () => {})
  }
  equal(await ask(), 'waking', 'three starts of yesterday')
  equal(seen.starts, 9)
  seen.after = 'awake'
  equal(await ask(), 'awake')
})

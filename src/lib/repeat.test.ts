import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { repeat } from './repeat.ts'
import { TestClock } from './test-clock.ts'

test('a turn that comes before the last one has ended is left out, and one that failed does not end the others', async () => {
  const clock = new TestClock(0)
  const begun: PromiseWithResolvers<void>[] = []
  const errors: string[] = []
  const timer = repeat(clock, 1000, {
    async work() {
      const turn = Promise.withResolvers<void>()
      begun.push(turn)
      await turn.promise
    },
    onError: error => errors.push(error.message),
  })
  await clock.pass(3000, nextTurn)
  assert.equal(begun.length, 1)
  begun[0]?.reject(new Error('the disk is full'))
  await nextTurn()
  assert.match(String(errors), /the disk is full/)
  await clock.pass(1000, nextTurn)
  assert.equal(begun.length, 2)
  begun[1]?.resolve()
  await nextTurn()
  timer.close()
  await clock.pass(5000, nextTurn)
  assert.equal(begun.length, 2)
})

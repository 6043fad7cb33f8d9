import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { Locks } from './locks.ts'

const NEVER = new AbortController().signal

/** A task that says when it begins and ends when it is told to. */
function stage() {
  const locks = new Locks()
  const begun: string[] = []
  function enter(name: string, { shares = false, signal = NEVER } = {}) {
    const gate = Promise.withResolvers<void>()
    const end = locks.run('key', {
      ...{ shares, signal },
      async run() {
        begun.push(name)
        await gate.promise
      },
    })
    end.catch(() => undefined)
    return { end, leave: gate.resolve }
  }
  return { begun, enter }
}

test('those that share a key are at work together, and whoever wants it alone waits for all of them', async () => {
  const { begun, enter } = stage()
  const one = enter('one', { shares: true })
  const two = enter('two', { shares: true })
  const alone = enter('alone')
  const late = enter('late', { shares: true })
  await setImmediate()
  assert.deepEqual(begun, ['one', 'two'])
  two.leave()
  await two.end
  await setImmediate()
  assert.deepEqual(begun, ['one', 'two'], 'the other one still has it')
  one.leave()
  await one.end
  await setImmediate()
  assert.deepEqual(begun, ['one', 'two', 'alone'], 'whoever came later has to wait')
  alone.leave()
  late.leave()
  await late.end
  assert.deepEqual(begun, ['one', 'two', 'alone', 'late'])
})

test('whoever gives up waiting lets nobody past those that are at work', async () => {
  const { begun, enter } = stage()
  const one = enter('one', { shares: true })
  const stop = new AbortController()
  const gone = enter('gone', { signal: stop.signal })
  const late = enter('late')
  stop.abort(new Error('enough'))
  await assert.rejects(gone.end, /enough/)
  await setImmediate()
  assert.deepEqual(begun, ['one'])
  one.leave()
  late.leave()
  await late.end
  assert.deepEqual(begun, ['one', 'late'])
})

test('a key that nobody has any more is had at once', async () => {
  const { begun, enter } = stage()
  for (const name of ['one', 'two']) {
    const each = enter(name, { shares: name === 'one' })
    assert.equal(begun.at(-1), name)
    each.leave()
    await each.end
  }
})

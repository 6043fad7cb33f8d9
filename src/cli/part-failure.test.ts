import { deepEqual, equal, match } from 'node:assert/strict'
import { test } from 'node:test'
import { partFailure } from './part-failure.ts'

test('a part that says why it does not start is quoted, with its hint and every problem', () => {
  const failed = partFailure(
    'manager',
    [
      'node: a warning',
      '{"event":"manager.problem","path":"FAIRLEAD_LISTEN","message":"is \\"x\\""}',
      '{"event":"manager.problem","path":"FAIRLEAD_CONCURRENCY","message":"is \\"0\\""}',
      '{"event":"manager.failed","code":"CONFIG_INVALID","message":"not valid: FAIRLEAD_LISTEN","hint":"Correct it."}',
    ].join('\n'),
  )
  equal(failed.message, 'The manager did not start: not valid: FAIRLEAD_LISTEN')
  equal(failed.hint, 'Correct it.')
  deepEqual(
    failed.problems?.map(({ path }) => path),
    ['FAIRLEAD_LISTEN', 'FAIRLEAD_CONCURRENCY'],
  )
})

test('a single problem is in the message already', () => {
  const failed = partFailure(
    'worker',
    '{"event":"worker.problem","path":"A","message":"b"}\n{"event":"worker.failed","reason":"A b","hint":"c"}',
  )
  equal(failed.message, 'The worker did not start: A b')
  equal(failed.problems, undefined)
})

test('one that dies without a word is shown by its last lines', () => {
  const { message, hint } = partFailure('worker', `${'old\n'.repeat(40)}{ broken\nSegmentation fault`)
  match(message, /\{ broken\nSegmentation fault$/)
  equal(message.split('\n').length, 15)
  match(hint, /worker\.log/)
})

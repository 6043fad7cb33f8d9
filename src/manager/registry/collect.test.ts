import { deepEqual, throws } from 'node:assert/strict'
import { test } from 'node:test'
import { namesIn } from './collect.ts'

test('R42 R43 what an engine uses that does not answer is not known, so nothing is collected', () => {
  const local = { name: 'local', problem: null }
  deepEqual(namesIn('box', { names: ['shop:1'], engines: [local] }), ['shop:1'])
  const engines = [local, { name: 'build1', problem: 'nobody answers' }]
  throws(() => namesIn('box', { names: ['shop:1'], engines }), {
    code: 'COLLECT_BLIND',
    message: 'What the engine "build1" of "box" runs is not known, so nothing is deleted: nobody answers',
  })
})

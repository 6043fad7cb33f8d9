import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId } from '#lib/id.ts'
import { BAD_FRAME } from './errors.ts'
import { asAgentFrame, asManagerFrame, encodeFrame, readFrame } from './frames.ts'

const REFUSED = {
  'nothing but null': 'null',
  'a list': '[]',
  'a number as command': '{"command":1,"data":{}}',
  'no data': '{"command":"ack"}',
  'data that is no object': '{"command":"ack","data":[]}',
  'a further key': '{"command":"ack","data":{},"more":1}',
  'a command with a space': '{"command":"a b","data":{}}',
  'a command of 65 characters': `{"command":"${'a'.repeat(65)}","data":{}}`,
}

for (const [what, text] of Object.entries(REFUSED)) {
  test(`M16 a frame with ${what} is refused in words`, () => {
    assert.throws(
      () => readFrame(text, 'text'),
      error => BAD_FRAME.matches(error) && error.message.length > 20 && error.hint !== '',
    )
  })
}

test('M16 a binary frame is refused', () => {
  assert.throws(() => readFrame(Buffer.from('{"command":"ack","data":{}}'), 'binary'), BAD_FRAME.matches)
})

test('a frame reads back as it was written', () => {
  const data = { id: newId(), seq: 7 }
  assert.deepEqual(readFrame(encodeFrame('ack', data), 'text'), { command: 'ack', data })
})

test('X02 a log line with a negative number is refused', () => {
  const lines = [{ seq: -1, at: 1, stream: 'stdout', text: 'x' }]
  assert.throws(() => asAgentFrame({ command: 'progress', data: { id: newId(), lines } }), BAD_FRAME.matches)
})

test('a frame of the other side is refused', () => {
  assert.throws(() => asAgentFrame({ command: 'cancel', data: { id: newId() } }), BAD_FRAME.matches)
  assert.throws(() => asAgentFrame({ command: 'toString', data: {} }), BAD_FRAME.matches)
  assert.equal(asManagerFrame({ command: 'welcome', data: {} }), undefined)
  assert.equal(asManagerFrame({ command: 'hasOwnProperty', data: {} }), undefined)
})

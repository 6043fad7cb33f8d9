import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ansiRuns, plainText } from './ansi.ts'

test('colours and weights of a line become classes, also when they are set together', () => {
  assert.deepEqual(ansiRuns('\u001b[1;31mfailed\u001b[0m in \u001b[38;5;46m2 s\u001b[39m.'), [
    { text: 'failed', classes: 'ansi-bold ansi-1' },
    { text: ' in ', classes: '' },
    { text: '2 s', classes: 'ansi-2' },
    { text: '.', classes: '' },
  ])
})

test('L01 what a terminal would obey is dropped: titles, clearing, links, 8 bit controls, a string without an end', () => {
  for (const [line, shown] of [
    ['\u001b]0;owned\u0007ok', 'ok'],
    ['\u001b[2J\u001b[Hok', 'ok'],
    ['\u001b]8;;https://evil.example\u001b\\ok\u001b]8;;\u001b\\', 'ok'],
    ['\u009b31mok', 'ok'],
    ['ok\u001bPqsixel', 'ok'],
    ['\u0000o\u0008k\u007f', 'ok'],
    ['\u202ekcatta\u202c', 'kcatta'],
    ['a\u200bb\ufeff', 'ab'],
  ] as const) {
    assert.equal(plainText(line), shown)
  }
})

test('a line that wrote over itself shows what stood there last', () => {
  assert.equal(plainText('10 %\r55 %\r100 %\r'), '100 %')
})

test('L02 a line that looks like an event of the log stays text', () => {
  const forged = '{"level":"info","event":"deploy.ok"}'
  assert.deepEqual(ansiRuns(forged), [{ text: forged, classes: '' }])
})

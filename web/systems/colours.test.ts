import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createColourFilter } from './colours.ts'

test('a colour of 24 bits becomes the nearest of 256, whatever else the sequence says', () => {
  const filter = createColourFilter()
  assert.equal(
    filter('\u001b[1;38;2;255;0;0;48;2;0;0;255mred\u001b[0m'),
    '\u001b[1;38;5;196;48;5;21mred\u001b[0m',
  )
  assert.equal(filter('\u001b[38:2::0:255:0mgreen'), '\u001b[38;5;46mgreen')
})

test('what is no such colour stays, and a sequence that comes in two pieces is one', () => {
  const filter = createColourFilter()
  assert.equal(filter('38;2;1;2;3m \u001b[38;5;9mok\u001b[31m'), '38;2;1;2;3m \u001b[38;5;9mok\u001b[31m')
  assert.equal(filter('a\u001b[38;2;25'), 'a')
  assert.equal(filter('5;255;255mb'), '\u001b[38;5;231mb')
})

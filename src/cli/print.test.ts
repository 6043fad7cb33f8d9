import { deepEqual, equal, match } from 'node:assert/strict'
import { test } from 'node:test'
import picocolors from 'picocolors'
import { FairleadError } from '#lib/errors.ts'
import { errorLines, problemLine, tableLines } from './print.ts'

const plain = picocolors.createColors(false)

test('a problem is printed with file, line, path, what is wrong and what was expected', () => {
  equal(
    problemLine({
      file: 'fairlead.yaml',
      line: 7,
      column: 3,
      path: 'apps.shop.port',
      message: 'is "abc"',
      expected: 'a number',
    }),
    'fairlead.yaml:7:3 apps.shop.port: is "abc" (expected a number)',
  )
  equal(problemLine({ path: '', message: 'is not YAML' }), 'is not YAML')
})

test('L01 G27 an error that quotes a repository moves no cursor', () => {
  const lines = errorLines(
    new FairleadError({
      code: 'X',
      message: 'bad\x1b[2J name \u202eabc',
      hint: 'do \x1b]0;t\x07this',
      retry: 'never',
      status: 422,
      problems: [{ path: 'a\x1b[31m', message: 'b\nc' }],
    }),
    plain,
  )
  deepEqual(lines, ['error: bad name abc', '  a: b c', 'hint: do this'])
})

test('columns are aligned, and cells from elsewhere stay on their line', () => {
  const lines = tableLines(
    ['app', 'state'],
    [
      ['shop\nnext', 'running'],
      ['a', '\x1b[5mfailed'],
    ],
  )
  deepEqual(lines, ['app        state', 'shop next  running', 'a          failed'])
})

test('a cell that is absent is empty', () => {
  match(tableLines(['a', 'b'], [['x']])[1] ?? '', /^x$/)
})

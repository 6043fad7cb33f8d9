import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseEnv } from 'node:util'
import { readEnvText } from './env-text.ts'

function read(text: string) {
  const answer = readEnvText(text)
  return 'values' in answer ? Object.fromEntries(answer.values) : answer.problem
}

test('values are read as other programs read such a file', () => {
  const text = [
    ...['# of production', '', 'PLAIN=a b', 'EMPTY=', 'SPACES =  x  ', 'export SHOWN=1', 'HASH=a#b # why'],
    ...[
      'SINGLE=\'it $HOME "is"\' # why',
      'DOUBLE="one\\ntwo"',
      'KEY="-----BEGIN',
      'x',
      'END-----"',
      'URL=a=b&c=d',
    ],
  ].join('\n')
  const wanted = {
    ...{ PLAIN: 'a b', EMPTY: '', SPACES: 'x', SHOWN: '1', SINGLE: 'it $HOME "is"', DOUBLE: 'one\ntwo' },
    ...{ KEY: '-----BEGIN\nx\nEND-----', URL: 'a=b&c=d' },
  }
  assert.deepEqual(read(text), { ...wanted, HASH: 'a#b' })
  assert.deepEqual({ ...parseEnv(text), HASH: '' }, { ...wanted, HASH: '' })
  assert.deepEqual(read(`\uFEFF${text.replaceAll('\n', '\r\n')}\r\n`), { ...wanted, HASH: 'a#b' })
  assert.deepEqual(read('A="say \\"hi\\" \\\\ \\$B"'), { A: 'say "hi" \\ $B' })
})

for (const [what, text, line] of [
  ['without an equals sign', 'A=1\nhunter2\n', 2],
  ['with a name that is none', 'MY-KEY=hunter2', 1],
  ['twice', 'A=1\n\nA=hunter2', 3],
  ['with quotes that do not end', 'A=1\nB="hunter2', 2],
  ['with more behind the quotes', "A='hunter2'x", 1],
] as const) {
  test(`a line ${what} is told by its number, and nothing of what it says`, () => {
    const problem = read(text)
    assert.equal(problem.line, line)
    assert.doesNotMatch(JSON.stringify(problem), /hunter2/)
  })
}

test('a text that is made to take long is read in no time', () => {
  const quotes = `A="${'\\"'.repeat(30_000)}`
  assert.deepEqual(read(quotes), { line: 1, why: 'has quotes that do not end with the value of A' })
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDeeperThan } from './json-depth.ts'

for (const [text, deep] of [
  ['[[[]]]', false],
  ['[[[[]]]]', true],
  ['{"a":{"b":[1]}}', false],
  ['{"a":{"b":[{}]}}', true],
  ['[][][][][]', false],
  ['["[[[[["]', false],
  ['["\\"[[[[["]', false],
  ['["\\\\",[[[1]]]]', true],
  ['["\\\\\\"[[[["]', false],
  ['"[[[[', false],
  ['"', false],
  ['"\\', false],
  ['', false],
  ['{"ключ":"[[[["}', false],
] as const) {
  test(`W21 ${JSON.stringify(text)} is ${deep ? '' : 'not '}deeper than three`, () => {
    assert.equal(isDeeperThan(Buffer.from(text), 3), deep)
  })
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sizeFrom, sizeText } from './size.ts'

test('a size is read in the units that people write, and shown in the one that fits', () => {
  assert.equal(sizeText(sizeFrom('512 mb') ?? 0), '512 MB')
  assert.equal(sizeText(sizeFrom('2') ?? 0), '2 GB')
  assert.equal(sizeText(sizeFrom('1,5G') ?? 0), '1.5 GB')
  assert.equal(sizeFrom('1T'), 1024 * 1024 ** 3)
})

test('what is no size is told apart from nothing', () => {
  for (const text of ['', 'much', '-1', '2 pints', '1 2']) {
    assert.equal(sizeFrom(text), undefined, text)
  }
})

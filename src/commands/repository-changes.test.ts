import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isWatched } from './repository-changes.ts'

for (const [path, pattern, expected] of [
  ['shop/src/a.ts', 'shop', true],
  ['shop/src/a.ts', 'shop/', true],
  ['shop/src/a.ts', './shop', true],
  ['shop/src/a.ts', 'shop/**', true],
  ['shop/src/a.ts', 'shop/*', true],
  ['shop/src/a.ts', '**/*.ts', true],
  ['shop', 'shop', true],
  ['shop/a.ts', 'sh?p/*.ts', true],
  ['shop/a.ts', '**', true],
  ['shopping/a.ts', 'shop', false],
  ['old/shop/a.ts', 'shop', false],
  ['shop/src/a.ts', 'shop/*.ts', false],
  ['Shop/a.ts', 'shop', false],
  ['a', 'a/b', false],
] as const) {
  test(`R23 ${path} is ${expected ? '' : 'not '}watched by "${pattern}"`, () => {
    assert.equal(isWatched(path, pattern), expected)
  })
}

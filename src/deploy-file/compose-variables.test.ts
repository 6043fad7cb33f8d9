import assert from 'node:assert/strict'
import { test } from 'node:test'
import { composeVariables } from './compose-variables.ts'

const TABLE: readonly [string, Record<string, [string | undefined, boolean]>][] = [
  ['image: web:$TAG', { TAG: [undefined, true] }],
  ['image: web:${TAG}', { TAG: [undefined, true] }],
  ['image: web:${TAG:-latest}', { TAG: ['latest', false] }],
  ['image: web:${TAG-}', { TAG: ['', false] }],
  ['image: ${A:-${B:-x}}/web', { A: ['${B:-x}', false], B: ['x', false] }],
  ['a: ${X:+set}', { X: [undefined, false] }],
  ['a: ${X:-1}\nb: ${X}', { X: ['1', true] }],
  ['a: $${X} $$Y', {}],
  ['a: $$$Z', { Z: [undefined, true] }],
  ['  # a: ${X}\nb: 5$', {}],
  ['a: ${X:-never closed\nb: ${Y}', { X: ['', false], Y: [undefined, true] }],
  ['a: ${}${-x} $1', {}],
]
for (const [text, wanted] of TABLE) {
  test(`R29 variables of ${JSON.stringify(text)}`, () => {
    const found = [...composeVariables(text)].map(([name, { fallback, isRequired }]) => [
      name,
      [fallback, isRequired],
    ])
    assert.deepEqual(Object.fromEntries(found), wanted)
  })
}

test('a file says itself why it needs a variable', () => {
  assert.equal(composeVariables('a: ${X:?the port}').get('X')?.words, 'the port')
})

test('a hostile text takes no more time than its length', () => {
  const text = '${A:-'.repeat(20_000)
  assert.equal(composeVariables(text).size, 1)
})

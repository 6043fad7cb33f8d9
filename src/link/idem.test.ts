import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalJson } from '#lib/canonical-json.ts'
import { idemOf } from './idem.ts'

test('M19 the order of keys makes no difference, a value does', () => {
  assert.equal(idemOf({ b: [1, { y: 2, x: 1 }], a: 'text' }), idemOf({ a: 'text', b: [1, { x: 1, y: 2 }] }))
  assert.notEqual(idemOf({ a: 1 }), idemOf({ a: 2 }))
  assert.notEqual(idemOf([1, 2]), idemOf([2, 1]))
})

test('M18 a value that crossed a wire has the hash it had before', () => {
  fc.assert(
    fc.property(fc.jsonValue(), value => {
      assert.equal(idemOf(value), idemOf(JSON.parse(JSON.stringify(value))))
      assert.deepEqual(JSON.parse(canonicalJson(value)), JSON.parse(JSON.stringify(value)))
    }),
  )
})

test('M18 a key without a value is as good as no key', () => {
  assert.equal(idemOf({ a: 1, b: undefined }), idemOf({ a: 1 }))
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { secretPlace } from './secret-place.ts'

test('the secrets of whom the address names are shown, known or not, and never those of somebody else', () => {
  assert.equal(secretPlace('/apps/shop'), '/apps/shop')
  assert.equal(secretPlace('/repositories/shop-repo'), '/repositories/shop-repo')
  assert.equal(secretPlace('/hosts/h1.example.org'), '/hosts/h1.example.org')
  assert.equal(secretPlace(undefined), '')
  assert.equal(secretPlace(''), '')
})

test('an address that names no place leads nowhere else in the API', () => {
  for (const wanted of [
    'shop',
    '/people/ada',
    '/apps/',
    '/apps/..',
    '/apps/a/../b',
    '/apps/a?x=1',
    '/apps/a%2fb',
    ['/apps/a'],
  ]) {
    assert.equal(secretPlace(wanted), undefined, String(wanted))
  }
})

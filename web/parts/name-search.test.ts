import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nameSearch } from './name-search.ts'

test('whatever is typed becomes a part of a name, or nothing', () => {
  assert.deepEqual(['My Shop!', '  ', '%_', 'a'.repeat(50)].map(nameSearch), [
    'my-shop',
    undefined,
    undefined,
    'a'.repeat(40),
  ])
})

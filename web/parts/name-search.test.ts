import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nameSearch } from './name-search.ts'

test('whatever is typed becomes a part of a name, of which there is none where it cannot', () => {
  assert.deepEqual(['My Shop!', '  ', '%_', 'a'.repeat(50)].map(nameSearch), [
    'my-shop',
    undefined,
    '-'.repeat(40),
    'a'.repeat(40),
  ])
})

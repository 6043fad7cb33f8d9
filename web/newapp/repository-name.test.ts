import assert from 'node:assert/strict'
import { test } from 'node:test'
import { repositoryName } from './repository-name.ts'

test('a repository is called after the last part of its address, as far as names may be so', () => {
  assert.equal(repositoryName('https://git.example.org/team/Shop_Front.git'), 'shop-front')
  assert.equal(repositoryName('git@git.example.org:team/api.git'), 'api')
  assert.equal(repositoryName('https://git.example.org/x/.github/'), 'github')
  assert.equal(repositoryName(''), '')
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseReference } from './image-reference.ts'

const DIGEST = `sha256:${'a'.repeat(64)}`

test('C35 a reference is taken apart by the grammar of Docker', () => {
  assert.deepEqual(parseReference('nginx'), { repository: 'nginx' })
  assert.deepEqual(parseReference('library/nginx:1.27'), { repository: 'library/nginx', tag: '1.27' })
  assert.deepEqual(parseReference(`localhost:5000/a/b__c:T@${DIGEST}`), {
    host: 'localhost:5000',
    repository: 'a/b__c',
    tag: 'T',
    digest: DIGEST,
  })
  assert.deepEqual(parseReference('ghcr.io/a/b-c'), { host: 'ghcr.io', repository: 'a/b-c' })
  assert.deepEqual(parseReference('box:5000/a'), { host: 'box:5000', repository: 'a' })
})

for (const text of [
  '',
  'A',
  'IMG:TAG',
  `a:${'t'.repeat(129)}`,
  'a@sha256:short',
  'scratch',
  'a b',
  'a\nb',
  '$(id)',
  '-a',
  'a//b',
  '/a',
  'a:',
  `${'a/'.repeat(300)}a`,
  'http://x/y',
]) {
  test(`C35 ${JSON.stringify(text.slice(0, 40))} is no image reference`, () => {
    assert.equal(parseReference(text), undefined)
  })
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { IMAGE_REFERENCE_PATTERN, imageName, parseReference } from './image-reference.ts'

const digest = `sha256:${'a'.repeat(64)}`

test('a reference falls into host, repository, tag and digest', () => {
  assert.deepEqual(parseReference(`127.0.0.1:5000/team/shop:t-1@${digest}`), {
    host: '127.0.0.1:5000',
    repository: 'team/shop',
    tag: 't-1',
    digest,
  })
  assert.deepEqual(parseReference('node'), { repository: 'node' })
  assert.deepEqual(parseReference('team/shop:1'), { repository: 'team/shop', tag: '1' })
  assert.deepEqual(parseReference('registry:5000/shop'), { host: 'registry:5000', repository: 'shop' })
  assert.deepEqual(parseReference('localhost/shop'), { host: 'localhost', repository: 'shop' })
})

test('imageName joins host and repository', () => {
  assert.equal(imageName({ host: 'r.example.org', repository: 'a/b' }), 'r.example.org/a/b')
  assert.equal(imageName({ repository: 'a/b' }), 'a/b')
})

const refused = [
  '',
  'IMG:TAG',
  `a:${'x'.repeat(129)}`,
  'a@sha256:short',
  'a b',
  'a\nb',
  'a:$(id)',
  '../x',
  'a//b',
  '-rf',
  'a/../b',
  'a?x=1',
  'a#x',
  'a%2fb',
]
for (const text of refused) {
  test(`C35 ${JSON.stringify(text.slice(0, 20))} is not an image reference`, () => {
    assert.equal(parseReference(text), undefined)
    assert.equal(new RegExp(IMAGE_REFERENCE_PATTERN).test(text), false)
  })
}

test('C35 scratch cannot be run', () => {
  assert.equal(parseReference('scratch'), undefined)
})

test('C35 a reference is taken apart by the grammar of Docker', () => {
  assert.deepEqual(parseReference('nginx'), { repository: 'nginx' })
  assert.deepEqual(parseReference('library/nginx:1.27'), { repository: 'library/nginx', tag: '1.27' })
  assert.deepEqual(parseReference(`localhost:5000/a/b__c:T@${digest}`), {
    host: 'localhost:5000',
    repository: 'a/b__c',
    tag: 'T',
    digest: digest,
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

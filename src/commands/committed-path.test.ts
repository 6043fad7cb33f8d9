import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCommittedPath } from './committed-path.ts'

for (const path of [
  'stack-instance.web.shop.json',
  'stack-instance.web.shop.north.json',
  'stacks/simple-stack-instance.web.shop.json',
]) {
  test(`${path} may be committed`, () => assert.ok(isCommittedPath(path, '{}')))
}

for (const path of [
  'fairlead.yaml',
  'docker-compose.web.yml',
  'stack-instance.json',
  'stack-instance.web.shop.json/x',
  'stack-instance.web.shop.yml',
  '.gitlab/stack-instance.web.shop.json',
  '../stack-instance.web.shop.json',
  '/stack-instance.web.shop.json',
  'a//stack-instance.web.shop.json',
  'stack-instance.web.shop\u202e.json',
  'a\\stack-instance.web.shop.json',
  'stack-definition.web.shop.json',
]) {
  test(`${JSON.stringify(path)} may not`, () => assert.ok(!isCommittedPath(path, '{}')))
}

test('R31 stacks in the first spelling may be removed, and are not written', () => {
  for (const path of ['docker-compose-web.yml', 'a/stack-web.json']) {
    assert.ok(isCommittedPath(path, null) && !isCommittedPath(path, '{}'))
  }
  assert.ok(!isCommittedPath('docker-compose.web.yml', null))
})

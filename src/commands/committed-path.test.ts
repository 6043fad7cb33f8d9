import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCommittedPath } from './committed-path.ts'

for (const path of [
  'stack-instance.web.shop.json',
  'stack-instance.web.shop.north.json',
  'stacks/simple-stack-instance.web.shop.json',
  'simple-stack-instance.remote-repo.web.shop.json',
  'stacks/stack-shop.json',
  'stack-my.shop.json',
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
  'stack-definition-web.json',
  'stack-instance.web.json',
  'docker-compose-web.schema.json',
  'x-stack-web.json',
]) {
  test(`${JSON.stringify(path)} may not`, () => assert.ok(!isCommittedPath(path, '{}')))
}

test('R31 Compose files in the first spelling may be removed, and are not written', () => {
  assert.ok(
    isCommittedPath('docker-compose-web.yml', null) && !isCommittedPath('docker-compose-web.yml', '{}'),
  )
  assert.ok(isCommittedPath('a/stack-web.json', null) && !isCommittedPath('stack-definition.web.json', null))
  assert.ok(!isCommittedPath('docker-compose.web.yml', null))
})

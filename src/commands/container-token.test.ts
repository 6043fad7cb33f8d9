import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withoutToken } from './container-token.ts'

test('addresses that a server prints are shown without its token', () => {
  assert.equal(
    withoutToken('[I] http://0.0.0.0:8888/tree?token=abc-DEF_1&x=1 or "http://h/?a=b&token=abc"'),
    '[I] http://0.0.0.0:8888/tree?token=[secret]&x=1 or "http://h/?a=b&token=[secret]"',
  )
  assert.equal(withoutToken('no token here: token=1'), 'no token here: token=1')
})

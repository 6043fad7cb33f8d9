import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EngineAnswer } from '#exec/call.ts'
import { headManifest } from './registry.ts'

const WISH = { registry: { address: 'r.example' }, repository: 'shop', reference: '1' }
const TOKENS = 'realm="https://auth.example/token",service="r.example"'

function answerTo(challenge: string) {
  const headers = { 'www-authenticate': challenge }
  return headManifest(WISH).read({ status: 401, headers } as unknown as EngineAnswer)
}

test('a registry says where it hands out tokens', () => {
  const challenge = { realm: 'https://auth.example/token', service: 'r.example' }
  for (const words of [TOKENS, `scope="a",${TOKENS}`, `x y=1 ,, ${TOKENS},error="invalid_token"`]) {
    assert.deepEqual(answerTo(`Bearer ${words}`), { kind: 'challenge', challenge })
  }
})

test('a registry that takes passwords, or hands out tokens without TLS, is not asked for one', () => {
  for (const words of [`Basic ${TOKENS}`, 'Bearer realm="http://auth.example/token"', 'Bearer service="x"']) {
    assert.deepEqual(answerTo(words), { kind: 'refused', status: 401 })
  }
})

test('a challenge that would keep a pattern busy for hours is read at once', () => {
  for (const noise of ['a'.repeat(8_000_000), 'a="'.repeat(2_000_001), `${' '.repeat(8_000_000)}=`]) {
    assert.equal(answerTo(`Bearer ${noise}`).kind, 'refused')
    assert.equal(answerTo(`Bearer ${TOKENS},${noise}`).kind, 'challenge')
  }
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { performLookup } from './lookup.ts'

test('a name of the host resolves to its addresses, each once', async () => {
  const { addresses, failure } = await performLookup({
    kind: 'lookup',
    host: 'localhost',
    timeoutMs: 5000,
    read: found => found,
  })
  assert.ok(addresses.includes('127.0.0.1') || addresses.includes('::1'))
  assert.equal(new Set(addresses).size, addresses.length)
  assert.equal(failure, undefined)
})

test('a name that does not resolve is a result with its reason', async () => {
  const found = await performLookup({
    kind: 'lookup',
    host: 'no-such-host.invalid',
    timeoutMs: 5000,
    read: each => each,
  })
  assert.deepEqual(found.addresses, [])
  assert.ok(found.failure)
})

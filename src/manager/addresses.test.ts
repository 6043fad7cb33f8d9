import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clientAddress, limitKey, parseRanges } from './addresses.ts'

const none = parseRanges([]).ranges
const proxies = parseRanges(['10.0.0.0/8', 'fd00::/8']).ranges

for (const [peer, forwarded, trusted, client] of [
  ['203.0.113.9', '1.2.3.4', none, '203.0.113.9'],
  ['203.0.113.9', '1.2.3.4', proxies, '203.0.113.9'],
  ['10.0.0.1', '1.2.3.4', proxies, '1.2.3.4'],
  ['10.0.0.1', '6.6.6.6, 1.2.3.4, 10.0.0.2', proxies, '1.2.3.4'],
  ['10.0.0.1', '1.2.3.4, nonsense, 10.0.0.2', proxies, '10.0.0.2'],
  ['::ffff:10.0.0.1', '2001:db8::1', proxies, '2001:db8::1'],
  ['10.0.0.1', undefined, proxies, '10.0.0.1'],
] as const) {
  test(`W28 ${peer} with X-Forwarded-For "${forwarded}" is ${client}`, () => {
    assert.equal(clientAddress(peer, forwarded, trusted), client)
  })
}

for (const [address, key] of [
  ['203.0.113.9', '203.0.113.9'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['2001:0DB8:0:0:1:2:3:4', '2001:db8:0:0'],
  ['2001:db8:1:2:3::', '2001:db8:1:2'],
  ['::1', '0:0:0:0'],
] as const) {
  test(`the rate limit of ${address} is that of ${key}`, () => {
    assert.equal(limitKey(address), key)
  })
}

for (const wrong of ['10.0.0.0/33', 'host', '10.0.0.0/8/8', '::/129', '', '1.2.3.4/-1', '1.2.3.4/']) {
  test(`${JSON.stringify(wrong)} is no range`, () => {
    assert.equal(parseRanges([wrong]).wrong, wrong)
  })
}

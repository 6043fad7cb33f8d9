import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressesOfLocalName, isPrivateAddress, isRange } from './private-address.ts'

const PRIVATE = [
  '127.0.0.1',
  '10.1.2.3',
  '100.64.0.1',
  '169.254.169.254',
  '172.31.255.255',
  '192.168.0.1',
  '0.0.0.0',
  '224.0.0.1',
  '255.255.255.255',
  '::1',
  '::',
  '::7f00:1',
  '::ffff:169.254.169.254',
  '::ffff:a9fe:a9fe',
  '64:ff9b::a9fe:a9fe',
  '2002:7f00:1::',
  'fd00:ec2::254',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  'ff02::1',
  'not-an-address',
  '',
]

for (const address of PRIVATE) {
  test(`G03 the address ${JSON.stringify(address)} counts as private`, () => {
    assert.equal(isPrivateAddress(address), true)
  })
}

for (const address of ['140.82.121.4', '1.1.1.1', '2606:50c0:8000::153', '172.32.0.1', '100.128.0.1']) {
  test(`the address ${address} counts as public`, () => {
    assert.equal(isPrivateAddress(address), false)
  })
}

test('an allowed range opens exactly itself', () => {
  const allowed = ['127.0.0.0/8', '::1/128', '10.20.0.0/16']
  assert.deepEqual(
    ['127.0.0.9', '::1', '10.20.3.4', '::ffff:127.0.0.1', '10.21.0.1', '192.168.1.1', '::2'].map(address =>
      isPrivateAddress(address, allowed),
    ),
    [false, false, false, false, true, true, true],
  )
})

test('a range that is no range opens nothing', () => {
  assert.equal(
    isPrivateAddress('127.0.0.1', ['127.0.0.0', '127.0.0.0/33', '127.0.0.0/', 'all', '127.0.0.0/8/8']),
    true,
  )
  assert.deepEqual(['10.0.0.0/8', '::1/128', '::1/129', '10.0.0.0/-1'].map(isRange), [
    true,
    true,
    false,
    false,
  ])
})

test('localhost and names below it are local without DNS', () => {
  assert.deepEqual(addressesOfLocalName('LOCALHOST.'), ['127.0.0.1', '::1'])
  assert.deepEqual(addressesOfLocalName('git.localhost'), ['127.0.0.1', '::1'])
  assert.equal(addressesOfLocalName('localhost.example.org'), undefined)
})

import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isContainerAddress, isIpv4, readSubnet, toAddress, toNumber } from './subnet.ts'

for (const [subnet, ip, isInside] of [
  ['172.30.0.0/16', '172.30.0.2', true],
  ['172.30.0.0/16', '172.30.255.254', true],
  ['172.30.0.0/16', '172.30.0.0', false],
  ['172.30.0.0/16', '172.30.0.1', false],
  ['172.30.0.0/16', '172.30.255.255', false],
  ['172.30.0.0/16', '172.31.0.2', false],
  ['172.30.7.9/16', '172.30.0.2', true],
  ['10.0.0.0/8', '10.255.0.1', true],
  ['10.0.0.0/32', '10.0.0.0', false],
] as const) {
  test(`${ip} can ${isInside ? '' : 'not '}be a container of ${subnet}`, () => {
    equal(isContainerAddress(subnet, ip), isInside)
  })
}

test('a subnet begins at its network address', () => {
  deepEqual(readSubnet('192.168.7.200/25'), { network: toNumber('192.168.7.128'), size: 128 })
})

for (const text of [
  '',
  '1.2.3',
  '1.2.3.4.5',
  '256.1.1.1',
  '01.2.3.4',
  '1.2.3.4 ',
  '1.2.3.4\n',
  '::1',
  '0x7f.0.0.1',
]) {
  test(`${JSON.stringify(text)} is no IPv4 address`, () => equal(isIpv4(text), false))
}

test('addresses and numbers are the same thing', () => {
  fc.assert(
    fc.property(fc.ipV4(), address => {
      equal(isIpv4(address), true)
      equal(toAddress(toNumber(address)), address)
    }),
  )
})

import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '#link/test-identities.ts'
import { defaultInterfaces } from './default-interfaces.ts'

const HEAD = 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n'
const ANY6 = '0'.repeat(32)

test('interfaces with a default route are those to the outside, over IPv4 and IPv6', t => {
  const folder = join(temporaryFolder(t), 'net')
  mkdirSync(folder)
  writeFileSync(
    join(folder, 'route'),
    `${HEAD}br-lan\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\neth1\t0000000A\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0\n`,
  )
  assert.deepEqual(defaultInterfaces(folder), ['br-lan'])
  const rest = `${ANY6} 00 ${ANY6} 00000400 00000001 00000000 00000003`
  writeFileSync(
    join(folder, 'ipv6_route'),
    `${ANY6} 00 ${rest}     eth2\n${ANY6} 00 ${rest}       lo\nfd${'0'.repeat(30)} 08 ${rest} eth3\n`,
  )
  assert.deepEqual(defaultInterfaces(folder), ['br-lan', 'eth2'])
})

test('where the routes cannot be read nobody says that there are none', t => {
  assert.throws(() => defaultInterfaces(join(temporaryFolder(t), 'nowhere')), /ENOENT/)
})

test('the routes are read where also a unit with ProcSubset=pid has them', () => {
  assert.deepEqual(defaultInterfaces(), defaultInterfaces('/proc/net'))
  assert.match(defaultInterfaces.toString(), /proc\/self\/net/)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { holdsRights, isShaped, systemConfig, systemDevices, systemParts } from './incus-system.ts'

const SHAPE = { memoryBytes: 2 ** 30, cpus: 1, processes: 500, ports: [] }
const PLACE = { pool: 'default', network: 'incusbr0', address: '0.0.0.0' }
const devices = systemDevices(SHAPE, PLACE)
const ours = systemConfig(SHAPE)
const whole = systemParts(ours, devices)

for (const [key, value, keepsItUntilStarted] of [
  ['security.nesting', 'true', true],
  ['security.privileged', 'true', true],
  ['security.privileged', 'yes', true],
  ['security.privileged', '0', false],
  ['security.idmap.isolated', 'off', true],
  ['security.syscalls.intercept.mount', 'true', true],
  ['raw.lxc', 'lxc.apparmor.profile=unconfined', true],
  ['raw.idmap', 'both 0 0', true],
  ['linux.kernel_modules', 'overlay', true],
  ['nvidia.runtime', 'true', true],
  ['limits.memory.swap', 'true', false],
  ['limits.cpu', '8', false],
] as const) {
  test(`${key}=${value} that somebody sets by hand is shown, and is no part of a system`, () => {
    const config = { ...ours, [key]: value }
    assert.deepEqual(systemParts(config, devices), { ...whole, [key]: value })
    assert.equal(isShaped({ config, devices, profiles: [] }, SHAPE, PLACE), false)
    assert.equal(holdsRights(systemParts(config, devices)), keepsItUntilStarted)
  })
}

test('what Incus writes down itself, or an owner of the host for themselves, is no change', () => {
  const config = {
    ...ours,
    ...{ 'volatile.uuid': 'x', 'image.os': 'debian', 'user.note': 'x', 'boot.host_shutdown_timeout': '60' },
    ...{ 'security.protection.delete': 'true', 'user.fairlead.id': 'x' },
  }
  assert.deepEqual(systemParts(config, devices), whole)
  assert.equal(isShaped({ config, devices, profiles: [] }, SHAPE, PLACE), true)
  assert.equal(holdsRights(whole), false)
})

test('a profile that somebody gives it by hand is shown, whatever is in it, and without its key it may swap', () => {
  const parts = systemParts(ours, devices, ['extra', 'more'])
  assert.deepEqual(parts, { ...whole, profiles: 'extra, more' })
  assert.equal(isShaped({ config: ours, devices, profiles: ['extra'] }, SHAPE, PLACE), false)
  assert.equal(holdsRights(parts), true)
  const { 'limits.memory.swap': _, ...config } = ours
  assert.deepEqual(systemParts(config, devices), { ...whole, 'limits.memory.swap': 'none' })
})

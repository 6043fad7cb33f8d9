import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settingsOf } from '#lib/settings.ts'
import { readGuardianConfig } from './config.ts'
import { GUARDIAN_CONFIG_INVALID } from './errors.ts'

test('without any variable the guardian listens on this machine only', () => {
  const config = readGuardianConfig({ FAIRLEAD_GUARDIAN_BOUNDS: '/nowhere/guardian.yaml' })
  assert.deepEqual(config.listen, { host: '127.0.0.1', port: 7444 })
  assert.equal(config.data, '/var/lib/fairlead/guardian')
  assert.match(config.name, /-guardian$/)
})

test('every setting of the guardian that is described is read, and no other', () => {
  const asked = new Set<unknown>()
  readGuardianConfig(new Proxy({}, { get: (_, name) => void asked.add(name) }))
  const wanted = settingsOf('guardian').map(({ name }) => name)
  assert.deepEqual([...asked].filter(name => /^FAIRLEAD_/.test(String(name))).sort(), wanted.sort())
})

test('everything that is wrong with the configuration is told at once', () => {
  const wrong = {
    FAIRLEAD_GUARDIAN_LISTEN: 'everywhere',
    FAIRLEAD_GUARDIAN_LOOK_SECONDS: '0',
    FAIRLEAD_GUARDIAN_LOKK_SECONDS: '5',
    FAIRLEAD_GUARDIAN_NAME: 'a b',
  }
  assert.throws(
    () => readGuardianConfig(wrong),
    error => GUARDIAN_CONFIG_INVALID.matches(error) && error.problems?.length === 4,
  )
})

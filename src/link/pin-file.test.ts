import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { BAD_PUBLIC_IDENTITY, PEER_REVOKED, PINS_DAMAGED, PINS_EMPTY, PINS_MISSING } from './errors.ts'
import { publicIdentity } from './identity.ts'
import { PinFile } from './pin-file.ts'
import { anIdentity, pinFor, temporaryFolder } from './test-identities.ts'

function aPinFile(t: TestContext): PinFile {
  return new PinFile(join(temporaryFolder(t), 'peers.json'), 'manager')
}

test('M01 a missing file of pins is refused, and the message names it', t => {
  const pins = aPinFile(t)
  assert.throws(
    () => pins.load(),
    error => PINS_MISSING.matches(error) && error.message.includes(pins.file),
  )
})

test('M01 a file without a pin is refused, and the message names it', t => {
  const pins = aPinFile(t)
  writeFileSync(pins.file, '{"peers":[],"revoked":[]}')
  assert.throws(
    () => pins.load(),
    error => PINS_EMPTY.matches(error) && error.message.includes(pins.file),
  )
})

for (const text of [
  '',
  '{',
  'null',
  '[]',
  '{}',
  '{"peers":[{}],"revoked":[]}',
  '{"peers":"*","revoked":[]}',
  '\0\0\0',
]) {
  test(`M01 a file of pins with ${JSON.stringify(text)} in it is refused, and the message names it`, t => {
    const pins = aPinFile(t)
    writeFileSync(pins.file, text)
    assert.throws(
      () => pins.load(),
      error => PINS_DAMAGED.matches(error) && error.message.includes(pins.file),
    )
  })
}

test('who is trusted is pinned, and pinned again in place of the old pin', t => {
  const pins = aPinFile(t)
  const manager = anIdentity(t, 'manager')
  pins.trust(publicIdentity(manager))
  pins.trust(publicIdentity(manager))
  assert.deepEqual(new PinFile(pins.file, 'manager').load(), [pinFor(manager)])
})

test('M24 only a manager may be pinned where managers are', t => {
  const pins = aPinFile(t)
  const worker = publicIdentity(anIdentity(t, 'worker'))
  assert.throws(() => pins.trust(worker), BAD_PUBLIC_IDENTITY.matches)
  pins.trust(publicIdentity(anIdentity(t, 'manager')))
  const swapped = readFileSync(pins.file, 'utf8').replace('"manager"', '"worker"')
  writeFileSync(pins.file, swapped)
  assert.throws(() => pins.load(), PINS_DAMAGED.matches)
})

test('X05 who was revoked stays revoked, whatever is restored or pinned again', t => {
  const pins = aPinFile(t)
  const bad = anIdentity(t, 'manager')
  const good = anIdentity(t, 'manager')
  pins.trust(publicIdentity(bad))
  pins.trust(publicIdentity(good))
  const backup = JSON.parse(readFileSync(pins.file, 'utf8'))
  pins.revoke(bad.keyId)
  assert.deepEqual(pins.load(), [pinFor(good)])
  assert.throws(() => pins.trust(publicIdentity(bad)), PEER_REVOKED.matches)
  writeFileSync(pins.file, JSON.stringify({ ...backup, revoked: [bad.keyId] }))
  assert.deepEqual(pins.load(), [pinFor(good)])
})

test('M01 revoking the only peer leaves a file that is refused', t => {
  const pins = aPinFile(t)
  const manager = anIdentity(t, 'manager')
  pins.trust(publicIdentity(manager))
  pins.revoke(manager.keyId)
  assert.throws(() => pins.load(), PINS_EMPTY.matches)
})

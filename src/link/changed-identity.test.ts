import assert from 'node:assert/strict'
import { cpSync, existsSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import { forgetEarlier, prepareIdentity, takeIdentity } from './changed-identity.ts'
import { IDENTITY_CHANGING, PEER_REVOKED } from './errors.ts'
import { loadOrCreateIdentity, publicIdentity } from './identity.ts'
import { PinFile } from './pin-file.ts'
import { proveSuccession } from './succession.ts'
import { anIdentity, pinFor, temporaryFolder } from './test-identities.ts'

const WHO = { clock: systemClock, name: 'manager', role: 'manager' } as const

test('a prepared key is the present one from the next start on, and the one before stays until all have learnt it', t => {
  const place = { ...WHO, folder: temporaryFolder(t) }
  const { keyId: old } = loadOrCreateIdentity(place)
  const next = prepareIdentity(place)
  assert.equal(prepareIdentity(place), next)
  for (const start of [1, 2]) {
    const { present, earlier } = takeIdentity(place)
    assert.deepEqual([start, present.keyId, earlier?.keyId], [start, next, old])
  }
  assert.throws(() => prepareIdentity(place), IDENTITY_CHANGING.matches)
  forgetEarlier(place)
  const { present, earlier } = takeIdentity(place)
  assert.deepEqual([present.keyId, earlier], [next, undefined])
  assert.notEqual(prepareIdentity(place), next)
})

test('killed at any moment of the change, the next start ends it with the same two keys', t => {
  const place = { ...WHO, folder: temporaryFolder(t) }
  const { keyId: old } = loadOrCreateIdentity(place)
  const next = prepareIdentity(place)
  const began = temporaryFolder(t)
  cpSync(place.folder, began, { recursive: true })
  /** What is there when the process ends after so much of it. */
  const halves: readonly ((folder: string) => void)[] = [
    folder => cpSync(join(began, 'identity.json'), join(folder, 'earlier.new', 'identity.json')),
    folder => {
      for (const name of ['identity.json', 'tls.json']) {
        cpSync(join(began, name), join(folder, 'earlier', name))
      }
    },
    folder => {
      for (const name of ['identity.json', 'tls.json']) {
        cpSync(join(began, name), join(folder, 'earlier', name))
      }
      renameSync(join(folder, 'next', 'identity.json'), join(folder, 'identity.json'))
    },
  ]
  for (const half of halves) {
    const folder = temporaryFolder(t)
    cpSync(began, folder, { recursive: true })
    half(folder)
    const { present, earlier } = takeIdentity({ ...WHO, folder })
    assert.deepEqual([present.keyId, earlier?.keyId, existsSync(join(folder, 'next'))], [next, old, false])
  }
})

test('the next key of a peer is pinned beside the present one, and alone once it is proven', t => {
  const [old, next, other] = [anIdentity(t, 'manager'), anIdentity(t, 'manager'), anIdentity(t, 'manager')]
  const file = join(temporaryFolder(t), 'peers.json')
  const pins = new PinFile(file, 'manager')
  pins.trust(publicIdentity(old))
  const said = proveSuccession(old, next, publicIdentity(next))
  for (const forged of [
    { ...said, oldSig: said.newSig },
    { ...said, newSig: said.oldSig },
    { ...said, identity: { ...publicIdentity(other) } },
  ]) {
    assert.throws(() => pins.follow(old.keyId, forged), { code: 'BAD_PUBLIC_IDENTITY' })
  }
  assert.throws(() => pins.follow(other.keyId, said), { code: 'BAD_PUBLIC_IDENTITY' })
  // Another one that was told before, and never came: only the last counts.
  pins.follow(old.keyId, proveSuccession(old, other, publicIdentity(other)))
  for (const _again of [1, 2]) {
    assert.equal(pins.follow(old.keyId, said).keyId, next.keyId)
  }
  const keys = () => new PinFile(file, 'manager').load().map(({ keyId }) => keyId)
  assert.deepEqual(keys(), [old.keyId, next.keyId])
  assert.deepEqual([pins.met(old.keyId), keys().length], [false, 2])

  // As a process does that was started again meanwhile.
  const again = new PinFile(file, 'manager')
  again.load()
  assert.deepEqual([again.met(next.keyId), again.met(next.keyId)], [true, false])
  assert.deepEqual(keys(), [next.keyId])
  assert.throws(() => again.trust(publicIdentity(old)), PEER_REVOKED.matches)
  assert.ok(!('replaces' in JSON.parse(readFileSync(file, 'utf8'))))
  assert.equal(again.peers[0]?.spki, pinFor(next).spki)
})

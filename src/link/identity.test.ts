import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { chmodSync, existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import { BAD_PUBLIC_IDENTITY, IDENTITY_DAMAGED, IDENTITY_MISSING } from './errors.ts'
import { loadIdentity, loadOrCreateIdentity, publicIdentity } from './identity.ts'
import { certificateId, pinOf, serverNameOf, withCertificate } from './public-identity.ts'
import { anIdentity, clockOffBy, DAY, pinFor, temporaryFolder } from './test-identities.ts'

test('an identity is the same after a restart, and only its owner can read it', t => {
  const place = { folder: temporaryFolder(t), clock: systemClock }
  const made = loadOrCreateIdentity({ ...place, name: 'one', role: 'worker' })
  assert.deepEqual(publicIdentity(loadIdentity(place)), publicIdentity(made))
  assert.deepEqual(
    publicIdentity(loadOrCreateIdentity({ ...place, name: 'two', role: 'worker' })),
    publicIdentity(made),
  )
  for (const file of ['identity.json', 'tls.json']) {
    assert.equal(statSync(join(place.folder, file)).mode & 0o777, 0o600)
  }
})

test('an identity whose key was being replaced when its process was killed is the old one or the new one, never half', t => {
  const place = { folder: temporaryFolder(t), clock: systemClock }
  const old = loadOrCreateIdentity({ ...place, name: 'one', role: 'worker' }).keyId
  const { identity } = loadIdentity(place).succession.prepare()
  const next = join(place.folder, 'next')
  assert.deepEqual(loadIdentity(place).succession.next?.identity, identity)
  rmSync(join(next, 'tls.json'))
  assert.equal(loadIdentity(place).keyId, old)
  assert.equal(loadIdentity(place).succession.next?.identity.keyId, identity.keyId)
  // Between the two files.
  renameSync(join(next, 'identity.json'), join(place.folder, 'identity.json'))
  const taken = loadIdentity(place)
  assert.equal(taken.keyId, identity.keyId)
  assert.equal(taken.succession.next, undefined)
  assert.equal(pinFor(taken).keyId, identity.keyId)
  assert.equal(existsSync(next), false)
})

test('a certificate is for its own identity, for both ends of TLS, and no authority', t => {
  const identity = anIdentity(t, 'worker')
  const certificate = new X509Certificate(identity.certificates.current.certificate)
  assert.equal(certificate.subjectAltName, `DNS:${serverNameOf(identity.keyId)}`)
  assert.equal(certificate.ca, false)
  assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'])
  assert.ok(certificate.verify(certificate.publicKey))
  const days = (certificate.validToDate.getTime() - Date.now()) / DAY
  assert.ok(days > 89 && days <= 90)
})

test('a public identity holds no secret and can be pinned', t => {
  const identity = anIdentity(t, 'worker')
  const shown = publicIdentity(identity)
  assert.deepEqual(Object.keys(shown), [
    'name',
    'role',
    'keyId',
    'spki',
    'certificate',
    'binding',
    'notAfter',
  ])
  assert.doesNotMatch(JSON.stringify(shown), /PRIVATE/)
  const pin = pinOf(JSON.parse(JSON.stringify(shown)))
  assert.deepEqual(pinOf(JSON.parse(JSON.stringify(pin))), pin)
})

test('M11 a public identity that was tampered with cannot be pinned', t => {
  const one = publicIdentity(anIdentity(t, 'worker'))
  const other = publicIdentity(anIdentity(t, 'worker'))
  const forged = [
    { ...one, keyId: other.keyId },
    { ...one, spki: other.spki },
    { ...one, certificate: other.certificate },
    { ...one, certificate: other.certificate, notAfter: other.notAfter, binding: other.binding },
    { ...one, notAfter: '2030-01-01T00:00:00.000Z' },
    { ...one, binding: other.binding },
    { ...one, role: 'admin' },
    { ...one, name: '../x' },
    { ...one, certificate: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----' },
    { ...one, more: 1 },
    null,
  ]
  for (const value of forged) {
    assert.throws(() => pinOf(value), BAD_PUBLIC_IDENTITY.matches)
  }
})

test('without an identity the message names the file', t => {
  const folder = temporaryFolder(t)
  assert.throws(
    () => loadIdentity({ folder, clock: systemClock }),
    error => IDENTITY_MISSING.matches(error) && error.message.includes(join(folder, 'identity.json')),
  )
})

test('a damaged or readable identity is refused, never replaced, never quoted', t => {
  const place = { folder: temporaryFolder(t), clock: systemClock }
  loadOrCreateIdentity({ ...place, name: 'one', role: 'worker' })
  const file = join(place.folder, 'identity.json')
  const good = readFileSync(file, 'utf8')
  const damaged = (message: RegExp) => (error: unknown) =>
    IDENTITY_DAMAGED.matches(error) && message.test(error.message) && !error.message.includes('BEGIN')

  chmodSync(file, 0o644)
  assert.throws(() => loadIdentity(place), damaged(/mode 644/))
  chmodSync(file, 0o600)
  for (const [text, message] of [
    [good.slice(0, 40), /not JSON/],
    ['{}', /./],
    [good.replace('BEGIN PRIVATE', 'BEGIN OTHER'), /no Ed25519 key/],
  ] as const) {
    writeFileSync(file, text)
    assert.throws(() => loadIdentity(place), damaged(message))
    assert.throws(() => loadOrCreateIdentity({ ...place, name: 'one', role: 'worker' }), damaged(message))
  }
  writeFileSync(file, good)
  rmSync(join(place.folder, 'tls.json'))
  assert.throws(() => loadIdentity(place), IDENTITY_MISSING.matches)
})

test('a certificate gets a successor after two thirds of its life, and the peers learn it before it is shown', t => {
  const folder = temporaryFolder(t)
  const at = (days: number) => loadIdentity({ folder, clock: clockOffBy(days * DAY) })
  loadOrCreateIdentity({ folder, clock: systemClock, name: 'one', role: 'worker' })
  const first = at(0).certificates.current
  assert.equal(at(59).certificates.next, undefined)

  const { certificates } = at(61)
  const next = certificates.next
  assert.ok(next)
  assert.deepEqual(certificates.current, first)
  assert.deepEqual(at(62).certificates.next, next, 'it survives a restart and is made once')

  certificates.noteKnown('peer', certificateId(first.certificate))
  assert.deepEqual(certificates.shownTo('peer'), first, 'the peer knew another one')
  certificates.noteKnown('peer', certificateId(next.certificate))
  assert.deepEqual(certificates.shownTo('peer'), next)
  assert.deepEqual(certificates.shownTo('other'), first)
  assert.equal(certificates.stepOver(['peer', 'other']), false)
  assert.equal(certificates.stepOver(['peer']), true)
  assert.deepEqual(at(63).certificates.current, next)
  assert.equal(at(63).certificates.next, undefined)
})

test('a certificate that has ended makes place for its successor even if nobody confirmed it', t => {
  const folder = temporaryFolder(t)
  loadOrCreateIdentity({ folder, clock: systemClock, name: 'one', role: 'worker' })
  const { next } = loadIdentity({ folder, clock: clockOffBy(80 * DAY) }).certificates
  const { current } = loadIdentity({ folder, clock: clockOffBy(91 * DAY) }).certificates
  assert.deepEqual(current, next)
})

test('a pin keeps two certificates, the newer ones, and only those its key vouches for', t => {
  const folder = temporaryFolder(t)
  const pin = pinFor(loadOrCreateIdentity({ folder, clock: systemClock, name: 'one', role: 'worker' }))
  const second = loadIdentity({ folder, clock: clockOffBy(61 * DAY) }).certificates.next
  assert.ok(second)
  const { key, ...shown } = second
  assert.match(key, /PRIVATE/)
  const two = withCertificate(pin, shown)
  assert.deepEqual(two.certificates, [shown, ...pin.certificates])
  assert.deepEqual(withCertificate(two, shown), two)
  const foreign = anIdentity(t, 'worker').certificates.current
  const { certificate, binding, notAfter } = foreign
  assert.throws(() => withCertificate(two, { certificate, binding, notAfter }), BAD_PUBLIC_IDENTITY.matches)
})

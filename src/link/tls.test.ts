import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import {
  type ConnectionOptions,
  connect,
  createServer,
  type Server,
  setDefaultCACertificates,
  type TlsOptions,
} from 'node:tls'
import { systemClock } from '#lib/clock.ts'
import { NO_PINS } from './errors.ts'
import { type Identity, loadIdentity, loadOrCreateIdentity } from './identity.ts'
import { certificateId, type Pin, serverNameOf, withCertificate } from './public-identity.ts'
import { anIdentity, clockOffBy, DAY, pinFor, temporaryFolder } from './test-identities.ts'
import { authorities, clientTls, serverTls } from './tls.ts'

interface Seen {
  /** What the server let in or why it did not; what the client got or why it did not. */
  server?: string
  reason?: string
  client?: string
}

async function listening(t: TestContext, options: TlsOptions, seen: Seen): Promise<Server> {
  const server = createServer(options, socket => {
    seen.server = 'open'
    socket.on('error', () => undefined)
    socket.end('welcome')
  })
  server.on('tlsClientError', (error, socket) => {
    seen.server ??= (error as NodeJS.ErrnoException).code ?? error.message
    seen.reason ??= String(socket.authorizationError ?? '')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return server
}

/** One connection; TLS clients believe in it before the server has looked at their certificate, so it waits for data. */
async function meet(server: Server, options: ConnectionOptions, seen: Seen): Promise<Seen> {
  const client = connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, ...options })
  client.on('error', (error: NodeJS.ErrnoException) => {
    seen.client ??= error.code ?? error.message
  })
  client.on('data', data => {
    seen.client = data.toString()
  })
  await once(client, 'close').catch(() => undefined)
  while (seen.server === undefined && seen.client === 'ECONNRESET') {
    await new Promise(resolve => setImmediate(resolve))
  }
  return seen
}

interface Pair {
  readonly manager: Identity
  readonly worker: Identity
  readonly pinsOfWorker?: readonly Pin[]
  readonly client?: Partial<ConnectionOptions>
}

async function handshake(
  t: TestContext,
  { manager, worker, pinsOfWorker = [pinFor(manager)], client }: Pair,
): Promise<Seen> {
  const seen: Seen = {}
  const server = await listening(t, serverTls(worker, pinsOfWorker), seen)
  return await meet(server, { ...clientTls(manager, pinFor(worker)), ...client }, seen)
}

test('pinned certificates meet', async t => {
  const seen = await handshake(t, { manager: anIdentity(t, 'manager'), worker: anIdentity(t, 'worker') })
  assert.deepEqual(seen, { server: 'open', client: 'welcome' })
})

test('M02 a stranger with a certificate of its own is refused, and why is known', async t => {
  const worker = anIdentity(t, 'worker')
  const pinsOfWorker = [pinFor(anIdentity(t, 'manager'))]
  const seen = await handshake(t, { manager: anIdentity(t, 'manager'), worker, pinsOfWorker })
  assert.notEqual(seen.client, 'welcome')
  assert.equal(seen.reason, 'DEPTH_ZERO_SELF_SIGNED_CERT')
})

test('M03 a client without a certificate is refused', async t => {
  const { key, cert, ...client } = clientTls(anIdentity(t, 'manager'), pinFor(anIdentity(t, 'worker')))
  assert.ok(key && cert)
  const manager = anIdentity(t, 'manager')
  const worker = anIdentity(t, 'worker')
  const seen: Seen = {}
  const server = await listening(t, serverTls(worker, [pinFor(manager)]), seen)
  await meet(
    server,
    { ...client, ca: authorities([pinFor(worker)]), servername: serverNameOf(worker.keyId) },
    seen,
  )
  assert.equal(seen.server, 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE')
})

for (const [what, days, code] of [
  ['that has ended', -100, 'CERT_HAS_EXPIRED'],
  ['that is not valid yet', 10, 'CERT_NOT_YET_VALID'],
] as const) {
  test(`M04 a pinned client certificate ${what} is refused`, async t => {
    const manager = anIdentity(t, 'manager', clockOffBy(days * DAY))
    const seen = await handshake(t, { manager, worker: anIdentity(t, 'worker') })
    assert.notEqual(seen.client, 'welcome')
    assert.equal(seen.reason, code)
  })

  test(`M04 a pinned server certificate ${what} is refused`, async t => {
    const worker = anIdentity(t, 'worker', clockOffBy(days * DAY))
    const seen = await handshake(t, { manager: anIdentity(t, 'manager'), worker })
    assert.equal(seen.client, code)
  })
}

for (const maxVersion of ['TLSv1.2', 'TLSv1.1'] as const) {
  test(`M05 a client that speaks only ${maxVersion} is refused`, async t => {
    const client = { minVersion: 'TLSv1', maxVersion, ciphers: 'ALL:@SECLEVEL=0' } as const
    const seen = await handshake(t, {
      manager: anIdentity(t, 'manager'),
      worker: anIdentity(t, 'worker'),
      client,
    })
    assert.notEqual(seen.client, 'welcome')
    assert.equal(seen.server, 'ERR_SSL_UNSUPPORTED_PROTOCOL')
  })
}

test('M06 the right certificate under a wrong name is refused', async t => {
  const client = { servername: serverNameOf('0'.repeat(64)) }
  const seen = await handshake(t, {
    manager: anIdentity(t, 'manager'),
    worker: anIdentity(t, 'worker'),
    client,
  })
  assert.equal(seen.client, 'ERR_TLS_CERT_ALTNAME_INVALID')
})

test('M07 a revoked peer with a saved TLS session is refused', async t => {
  const manager = anIdentity(t, 'manager')
  const worker = anIdentity(t, 'worker')
  const seen: Seen = {}
  const server = await listening(t, serverTls(worker, [pinFor(manager)]), seen)
  const port = (server.address() as AddressInfo).port
  const client = connect({ host: '127.0.0.1', port, ...clientTls(manager, pinFor(worker)) })
  client.resume()
  const [session] = await once(client, 'session')
  client.destroy()
  assert.equal(seen.server, 'open')
  const resumed = connect({ host: '127.0.0.1', port, session, ...clientTls(manager, pinFor(worker)) })
  await once(resumed, 'data')
  assert.ok(resumed.isSessionReused())

  server.setSecureContext(serverTls(worker, [pinFor(anIdentity(t, 'manager'))]))
  const again = await meet(server, { ...clientTls(manager, pinFor(worker)), session }, {})
  assert.notEqual(again.client, 'welcome')
})

test('M01 without a pin there are no authorities, and above all not the public ones', t => {
  assert.throws(() => authorities([]), NO_PINS.matches)
  assert.throws(() => serverTls(anIdentity(t, 'worker'), []), NO_PINS.matches)
  const empty = {
    ...pinFor(anIdentity(t, 'manager')),
    certificates: [{ certificate: ' ', binding: 'A', notAfter: '' }],
  }
  assert.throws(() => authorities([empty]), NO_PINS.matches)
})

test('M02 a client with a certificate that the public authorities vouch for is a stranger all the same', async t => {
  const publiclyTrusted = anIdentity(t, 'manager')
  setDefaultCACertificates([publiclyTrusted.certificates.current.certificate])
  const pinsOfWorker = [pinFor(anIdentity(t, 'manager'))]
  const seen = await handshake(t, { manager: publiclyTrusted, worker: anIdentity(t, 'worker'), pinsOfWorker })
  assert.notEqual(seen.client, 'welcome')
  assert.notEqual(seen.server, 'open')
})

test('both certificates of a peer are accepted while one replaces the other, on either end', async t => {
  const [manager, worker] = [anOldIdentity(t, 'manager'), anOldIdentity(t, 'worker')]
  const pinOf = (identity: Identity) => {
    const next = identity.certificates.next
    assert.ok(next)
    const { certificate, binding, notAfter } = next
    return {
      pin: withCertificate(pinFor(identity), { certificate, binding, notAfter }),
      id: certificateId(certificate),
    }
  }
  const [ofManager, ofWorker] = [pinOf(manager), pinOf(worker)]
  const meetNow = async () => {
    const seen: Seen = {}
    const server = await listening(t, serverTls(worker, [ofManager.pin]), seen)
    return await meet(server, clientTls(manager, ofWorker.pin), seen)
  }
  assert.equal((await meetNow()).client, 'welcome')
  manager.certificates.noteKnown(worker.keyId, ofManager.id)
  assert.equal((await meetNow()).client, 'welcome')
  worker.certificates.noteKnown(manager.keyId, ofWorker.id)
  assert.equal(worker.certificates.stepOver([manager.keyId]), true)
  assert.equal((await meetNow()).client, 'welcome')
})

function anOldIdentity(t: TestContext, role: 'manager' | 'worker'): Identity {
  const folder = temporaryFolder(t)
  loadOrCreateIdentity({ folder, clock: clockOffBy(-61 * DAY), name: role, role })
  return loadIdentity({ folder, clock: systemClock })
}

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import WebSocket, { WebSocketServer } from 'ws'
import { CLOSE, MAX_FRAME_BYTES } from '#contract/agent-frames.ts'
import { newId } from '#lib/id.ts'
import { PINS_DAMAGED, PINS_EMPTY, PINS_MISSING } from '#link/errors.ts'
import { publicIdentity } from '#link/identity.ts'
import { MAX_RAW, MAX_UNPROVEN } from '#link/limits.ts'
import { serverNameOf } from '#link/public-identity.ts'
import { anIdentity, clockOffBy, pinFor } from '#link/test-identities.ts'
import { clientTls, serverTls } from '#link/tls.ts'
import { peersIn } from './peers.ts'
import { startTestAgent } from './test-agent.ts'
import { TestManager } from './test-manager.ts'

test('R74 R75 R78 a proven manager is welcomed with what the agent can do', async t => {
  const agent = await startTestAgent(t)
  const manager = new TestManager(t, agent, { epoch: 42 })
  const welcome = await manager.open()
  assert.equal(welcome.epochSeen, 42)
  assert.deepEqual(welcome.running, [])
  assert.ok((welcome.capabilities as string[]).includes('test.echo'))
  assert.ok(!(welcome.capabilities as string[]).includes('firewall.open'))
  assert.equal(agent.journal.epoch(), 42)
})

test('M01 an agent does not start without a pin', async t => {
  await assert.rejects(startTestAgent(t, { pins: [] }), PINS_MISSING.matches)
})

test('M02 a stranger is refused by TLS, and the log says why', async t => {
  const agent = await startTestAgent(t)
  const stranger = anIdentity(t, 'manager')
  assert.match(String(await new TestManager(t, agent, { identity: stranger }).refused()), /ECONNRESET|ALERT/)
  const entry = agent.log.find(({ event }) => event === 'agent.tls-refused')
  assert.equal(entry?.fields.reason, 'DEPTH_ZERO_SELF_SIGNED_CERT')
})

test('M08 a recorded auth frame is worth nothing on another connection', async t => {
  const agent = await startTestAgent(t)
  const first = new TestManager(t, agent)
  const recorded = await first.authFrame()
  first.send('auth', recorded)
  await first.frame('welcome')
  first.socket.close()
  await first.closed
  const second = new TestManager(t, agent, { epoch: 2, tamper: () => recorded })
  assert.equal(await second.refused(), CLOSE.badProof)
})

for (const version of [0, 2, 99]) {
  test(`M09 version ${version} is refused with the versions that would do`, async t => {
    const agent = await startTestAgent(t)
    const manager = new TestManager(t, agent, { tamper: auth => ({ ...auth, v: version }) })
    assert.equal(await manager.refused(), CLOSE.version)
    const error = (await manager.frame('error')).error as { code: string; facts: unknown }
    assert.equal(error.code, 'VERSION_UNSUPPORTED')
    assert.deepEqual(error.facts, { supported: [1] })
  })
}

test('M10 someone in between with both TLS keys can pass every frame on and is refused', async t => {
  const agent = await startTestAgent(t)
  const relay = createServer(serverTls(agent.identity, [pinFor(agent.manager)]))
  const upgrader = new WebSocketServer({ server: relay })
  upgrader.on('connection', victim => {
    const options = clientTls(agent.manager, agent.pin)
    const onwards = new WebSocket(`wss://${agent.address}/agent`, ['fairlead.v1'], options)
    onwards.on('message', data => victim.send(String(data)))
    victim.on('message', data => onwards.send(String(data)))
    onwards.on('close', code => victim.close(code))
  })
  relay.listen(0, '127.0.0.1')
  await once(relay, 'listening')
  t.after(() => relay.close())
  const { port } = relay.address() as AddressInfo
  const victim = new TestManager(t, agent, { address: `127.0.0.1:${port}` })
  assert.equal(await victim.refused(), CLOSE.badProof)
})

test('M10 the TLS key of a manager without its identity key is not enough', async t => {
  const agent = await startTestAgent(t)
  const thief = { ...agent.manager, privateKey: anIdentity(t, 'manager').privateKey }
  assert.equal(await new TestManager(t, agent, { identity: thief }).refused(), CLOSE.badProof)
})

test('M10 an identity of its own behind the TLS certificate of another is refused, pinned or not', async t => {
  const [one, two, stranger] = [anIdentity(t, 'manager'), anIdentity(t, 'manager'), anIdentity(t, 'manager')]
  const agent = await startTestAgent(t, { manager: one, pins: [one, two] })
  assert.equal(await new TestManager(t, agent, { identity: two, shows: one }).refused(), CLOSE.badProof)
  assert.equal(await new TestManager(t, agent, { identity: stranger, shows: one }).refused(), CLOSE.badProof)
})

test('M12 a clock that is off by an hour makes no difference to the agent', async t => {
  const agent = await startTestAgent(t, { serve: { clock: clockOffBy(3600_000) } })
  const manager = new TestManager(t, agent)
  await manager.open()
  const { time } = await manager.frame('hello')
  assert.ok(Number(time) - Date.now() / 1000 > 3500)
})

test('M13 silent sockets of a TLS key holder are few, short-lived and harmless to the session', async t => {
  const agent = await startTestAgent(t, { serve: { authDeadlineMs: 1000 } })
  const live = new TestManager(t, agent)
  await live.open()
  const silent = Array.from({ length: 60 }, () => new TestManager(t, agent, { epoch: 9 }))
  const codes = await Promise.all(silent.map(({ closed }) => closed))
  assert.ok(codes.every(code => code === CLOSE.authTimeout || code === CLOSE.tooMany))
  assert.ok(codes.filter(code => code === CLOSE.authTimeout).length >= MAX_UNPROVEN)
  assert.ok(codes.includes(CLOSE.tooMany))
  const id = live.tell('test.echo', { text: 'still here' })
  assert.equal((await live.ending(id)).command, 'result')
})

test('M13 two hundred silent strangers are cut off and do not keep a manager out', async t => {
  const agent = await startTestAgent(t, { serve: { authDeadlineMs: 500 } })
  const port = agent.server.port
  let open = 0
  let most = 0
  const strangers = Array.from({ length: 200 }, (_, index) => {
    const options = { host: '127.0.0.1', port, servername: serverNameOf(agent.identity.keyId) }
    const socket = index % 2 === 0 ? connect(options) : connectTls({ ...options, rejectUnauthorized: false })
    socket.on('connect', () => {
      most = Math.max(most, ++open)
    })
    socket.on('error', () => undefined)
    t.after(() => socket.destroy())
    return new Promise(resolve => socket.on('close', resolve))
  })
  const manager = new TestManager(t, agent)
  await Promise.all([manager.open(), ...strangers])
  assert.ok(most > MAX_RAW)
})

test('R77 M14 a second manager with the same or a lower epoch is refused, a higher one takes over', async t => {
  const agent = await startTestAgent(t)
  const first = new TestManager(t, agent, { epoch: 5 })
  await first.open()
  const same = new TestManager(t, agent, { epoch: 5 })
  assert.equal(await same.refused(), CLOSE.busy)
  assert.equal(((await same.frame('error')).error as { code: string }).code, 'MANAGER_CONNECTED')
  assert.equal(await new TestManager(t, agent, { epoch: 4 }).refused(), CLOSE.busy)
  assert.equal(first.socket.readyState, WebSocket.OPEN)

  const higher = new TestManager(t, agent, { epoch: 6 })
  await higher.open()
  assert.equal(await first.closed, CLOSE.takenOver)
  assert.equal((await higher.ending(higher.tell('test.echo', { text: 'x' }))).command, 'result')
})

test('M14 a manager that was cut off gets in again although its old socket looks open', async t => {
  const agent = await startTestAgent(t, { serve: { heartbeat: { probeMs: 100 } } })
  const first = new TestManager(t, agent)
  await first.open()
  first.socket.pause()
  assert.equal(await new TestManager(t, agent).refused(), CLOSE.busy)
  while (agent.log.every(({ event }) => event !== 'agent.manager-gone')) {
    await new Promise(resolve => setTimeout(resolve, 10))
  }
  await new TestManager(t, agent).open()
})

test('M15 a frame of more than 1 MiB ends the socket', async t => {
  const agent = await startTestAgent(t)
  const manager = new TestManager(t, agent)
  await manager.open()
  manager.socket.send('x'.repeat(MAX_FRAME_BYTES + 1))
  assert.equal(await manager.closed, 1009)
})

test('M15 sixty-five fragments end the socket', async t => {
  const agent = await startTestAgent(t)
  const manager = new TestManager(t, agent)
  await manager.open()
  for (let sent = 0; sent < 65; sent++) {
    manager.socket.send('x', { fin: false })
  }
  assert.equal(await manager.closed, 1008)
})

test('M15 pings whose answers nobody reads end the socket', async t => {
  const agent = await startTestAgent(t)
  const manager = new TestManager(t, agent)
  await manager.open()
  const tls = manager.socket
  tls.pause()
  const gone = () => agent.log.some(({ event }) => event === 'agent.manager-gone')
  for (let sent = 0; sent < 1_000_000 && !gone(); sent++) {
    tls.ping(Buffer.alloc(125))
    if (sent % 2_000 === 0) {
      await new Promise(resolve => setTimeout(resolve, 1))
    }
  }
  assert.ok(gone())
})

test('M17 a command before the proof is not heard', async t => {
  const agent = await startTestAgent(t)
  const manager = new TestManager(t, agent)
  await manager.frame('hello')
  manager.tell('test.echo', { text: 'early' })
  assert.equal(await manager.closed, CLOSE.badProof)
  assert.deepEqual(agent.stage.done, [])
})

test('M17 nothing is heard after a proof that failed', async t => {
  const agent = await startTestAgent(t)
  const manager = new TestManager(t, agent)
  const auth = await manager.authFrame()
  manager.send('auth', { ...auth, epoch: 99 })
  manager.send('auth', auth)
  manager.tell('test.echo', { text: 'late' })
  assert.equal(await manager.closed, CLOSE.badProof)
  assert.deepEqual(agent.stage.done, [])
  assert.equal(agent.journal.epoch(), 0)
})

for (const [what, send] of [
  ['binary', (socket: WebSocket) => socket.send(Buffer.from('{}'))],
  ['no JSON', (socket: WebSocket) => socket.send('hello')],
  [
    'an auth with a key too many',
    (socket: WebSocket) => socket.send('{"command":"auth","data":{"v":1,"admin":true}}'),
  ],
] as const) {
  test(`M16 a first frame that is ${what} ends the socket`, async t => {
    const agent = await startTestAgent(t)
    const manager = new TestManager(t, agent)
    await manager.frame('hello')
    send(manager.socket)
    assert.equal(await manager.closed, CLOSE.badFrame)
  })
}

test('M20 a browser is refused', async t => {
  const agent = await startTestAgent(t)
  const manager = new TestManager(t, agent, { origin: 'https://evil.example' })
  assert.match(String(await manager.refused()), /403/)
})

for (const [what, path, protocol, status] of [
  ['another path', '/', 'fairlead.v1', /404/],
  ['a query', '/agent?x=1', 'fairlead.v1', /404/],
  ['another protocol', '/agent', 'fairlead.v2', /400/],
] as const) {
  test(`M20 ${what} is refused`, async t => {
    const agent = await startTestAgent(t)
    const socket = new WebSocket(
      `wss://${agent.address}${path}`,
      [protocol],
      clientTls(agent.manager, agent.pin),
    )
    const [error] = await new Promise<[Error]>(resolve => socket.on('error', error => resolve([error])))
    assert.match(error.message, status)
  })
}

test('M25 a manager from an old backup is refused and told what to do, also after a restart of the agent', async t => {
  const agent = await startTestAgent(t)
  await new TestManager(t, agent, { epoch: 42 }).open()
  await agent.stop()
  const { folder, identity, manager: pinned } = agent
  const again = await startTestAgent(t, { folder, identity, manager: pinned })
  const manager = new TestManager(t, again, { epoch: 41 })
  assert.equal(await manager.refused(), CLOSE.busy)
  const error = (await manager.frame('error')).error as { code: string; hint: string }
  assert.equal(error.code, 'STALE_EPOCH')
  assert.match(error.hint, /above 42/)
})

test('M07 a manager whose pin was taken away is cut off at once and stays out', async t => {
  const other = anIdentity(t, 'manager')
  const revoked = anIdentity(t, 'manager')
  const agent = await startTestAgent(t, { manager: revoked, pins: [revoked, other] })
  const manager = new TestManager(t, agent)
  await manager.open()
  peersIn(agent.folder).revoke(revoked.keyId)
  agent.server.reload()
  assert.equal(await manager.closed, CLOSE.revoked)
  assert.match(String(await new TestManager(t, agent, { epoch: 2 }).refused()), /ECONNRESET|ALERT/)
  await new TestManager(t, agent, { identity: other, epoch: 3 }).open()
})

test('M07 taking the last pin away closes the agent', async t => {
  const agent = await startTestAgent(t)
  const manager = new TestManager(t, agent)
  await manager.open()
  peersIn(agent.folder).revoke(agent.manager.keyId)
  assert.throws(() => agent.server.reload(), PINS_EMPTY.matches)
  assert.equal(await manager.closed, CLOSE.revoked)
  assert.equal(await new TestManager(t, agent).refused(), 'ECONNREFUSED')
})

test('M07 a pin file that cannot be read changes nothing until it can be read again', async t => {
  const agent = await startTestAgent(t)
  const manager = new TestManager(t, agent)
  await manager.open()
  const file = peersIn(agent.folder).file
  const good = readFileSync(file, 'utf8')
  writeFileSync(file, good.slice(0, 100))
  assert.throws(() => agent.server.reload(), PINS_DAMAGED.matches)
  writeFileSync(file, good)
  agent.server.reload()
  assert.equal((await manager.ending(manager.tell('test.echo', { text: 'x' }))).command, 'result')
  await new TestManager(t, agent, { epoch: 2 }).open()
})

test('M13 refusals do not fill the log', async t => {
  const agent = await startTestAgent(t)
  const stranger = anIdentity(t, 'manager')
  for (let tries = 0; tries < 40; tries++) {
    await new TestManager(t, agent, { identity: stranger }).closed
  }
  assert.ok(agent.log.length < 40)
})

test('a manager can replace its certificate in a session, and no other', async t => {
  const agent = await startTestAgent(t)
  const manager = new TestManager(t, agent)
  await manager.open()
  const { certificate, binding, notAfter } = publicIdentity(anIdentity(t, 'manager'))
  manager.send('rotate', { certificate, binding, notAfter })
  assert.equal(((await manager.frame('error')).error as { code: string }).code, 'BAD_PUBLIC_IDENTITY')
  const own = pinFor(agent.manager).certificates[0]
  manager.send('rotate', { ...own })
  await manager.frame('rotated')
  assert.deepEqual(peersIn(agent.folder).load(), [pinFor(agent.manager)])
})

test('an unknown id in a resume is answered, not punished', async t => {
  const agent = await startTestAgent(t)
  const manager = new TestManager(t, agent)
  await manager.open()
  const id = newId()
  manager.send('resume', { id, fromSeq: 0 })
  assert.equal(((await manager.ending(id)).data.error as { code: string }).code, 'UNKNOWN_COMMAND_ID')
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import { loadIdentity, loadOrCreateIdentity } from '#link/identity.ts'
import { certificateId, type Pin } from '#link/public-identity.ts'
import { anIdentity, clockOffBy, DAY, pinFor, temporaryFolder } from '#link/test-identities.ts'
import { AGENT_OFFLINE } from './errors.ts'
import { connectTo, FakeAgent, until } from './test-agent.ts'

const WAIT = { waitMs: 20_000 }

test('a connection says what it is connected to, and that it is closed', async t => {
  const agent = new FakeAgent(t)
  const { connection } = await connectTo(t, agent)
  assert.equal(connection.state().status, 'connecting')
  await connection.link(WAIT)
  const { status, agent: facts, attempts } = connection.state()
  assert.deepEqual(
    [status, facts?.build, facts?.capabilities, attempts],
    ['connected', 'fake', ['test.echo'], 0],
  )
  await connection.close()
  assert.equal(connection.state().status, 'closed')
  await assert.rejects(connection.link(WAIT), AGENT_OFFLINE.matches)
})

test('M11 an impostor with the TLS key is told no command', async t => {
  const agent = new FakeAgent(t)
  agent.behaviour = { welcome: 'forged' }
  const { connection } = await connectTo(t, agent)
  await until(connection, () => connection.state().lastError !== undefined)
  assert.equal(connection.state().lastError?.code, 'AGENT_UNPROVEN')
  assert.deepEqual(new Set(agent.heard.map(({ command }) => command)), new Set(['auth']))
})

test('M11 an agent that speaks before it is proven is left', async t => {
  const agent = new FakeAgent(t)
  agent.behaviour = { welcome: 'none' }
  const { connection } = await connectTo(t, agent)
  while (agent.heard.length === 0) {
    await systemClock.sleep(5)
  }
  agent.sessions[0]?.send('result', { id: '00000000-0000-4000-8000-000000000000', seq: 0, data: {} })
  await until(connection, () => connection.state().lastError !== undefined)
  assert.equal(connection.state().lastError?.code, 'AGENT_UNPROVEN')
})

test('M11 an agent of another role is left', async t => {
  const agent = new FakeAgent(t)
  agent.behaviour = { hello: { role: 'guardian' } }
  const { connection } = await connectTo(t, agent)
  await until(connection, () => connection.state().lastError !== undefined)
  assert.match(connection.state().lastError?.message ?? '', /guardian/)
})

test('M11 an agent under another pin is not even spoken to', async t => {
  const agent = new FakeAgent(t)
  const { connection } = await connectTo(t, agent, { pin: pinFor(anIdentity(t, 'worker')) })
  await until(connection, () => connection.state().lastError !== undefined)
  const { lastError } = connection.state()
  assert.equal(lastError?.code, 'AGENT_UNREACHABLE')
  assert.match(lastError?.message ?? '', /CERT|ALTNAME/)
  assert.deepEqual(agent.heard, [])
})

test('M09 an agent that offers no version of ours is left with the reason', async t => {
  const agent = new FakeAgent(t)
  agent.behaviour = { hello: { v: [2, 3] } }
  const { connection } = await connectTo(t, agent)
  await until(connection, () => connection.state().lastError !== undefined)
  assert.equal(connection.state().lastError?.code, 'VERSION_UNSUPPORTED')
  assert.deepEqual(agent.heard, [])
})

test('M09 a version taken out of the offer breaks the proof', async t => {
  const agent = new FakeAgent(t)
  agent.behaviour = { hello: { v: [1, 2] } }
  const { connection } = await connectTo(t, agent)
  await until(connection, () => connection.state().lastError !== undefined)
  assert.equal(connection.state().lastError?.code, 'AGENT_UNPROVEN')
})

for (const hours of [-1, 1]) {
  test(`M12 a clock that is off by ${hours} h is warned about and works`, async t => {
    const agent = new FakeAgent(t)
    agent.behaviour = { hello: { time: Math.floor(Date.now() / 1000) + hours * 3600 } }
    const { connection, log } = await connectTo(t, agent)
    const link = await connection.link(WAIT)
    assert.equal(Math.round(link.agent.skewMs / 3600_000), hours)
    assert.ok(log.some(({ event }) => event === 'agent.clock-differs'))
  })
}

test('M12 an agent made an hour in the future can be reached', async t => {
  const agent = new FakeAgent(t, anIdentity(t, 'worker', clockOffBy(3600_000)))
  const { connection } = await connectTo(t, agent)
  await connection.link(WAIT)
})

test('an agent that comes back is connected again', async t => {
  const agent = new FakeAgent(t)
  const { connection } = await connectTo(t, agent)
  const first = await connection.link(WAIT)
  agent.sessions[0]?.socket.terminate()
  await first.closed
  const second = await connection.link(WAIT)
  assert.notEqual(second, first)
  assert.equal(connection.state().status, 'connected')
})

test('an agent that is not there is waited for so long and no longer', async t => {
  const agent = new FakeAgent(t)
  const { connection } = await connectTo(t, agent, { address: '127.0.0.1:1' })
  await assert.rejects(connection.link({ waitMs: 100 }), error => {
    assert.ok(AGENT_OFFLINE.matches(error))
    return /ECONNREFUSED/.test(error.message)
  })
  assert.ok(connection.state().attempts > 0)
})

test('X02 an agent that talks nonsense is flagged, and left when it does not stop', async t => {
  const agent = new FakeAgent(t)
  const { connection, log } = await connectTo(t, agent)
  const link = await connection.link(WAIT)
  const id = '00000000-0000-4000-8000-000000000000'
  const session = agent.sessions[0]
  session?.send('result', { id, seq: 0, data: {} })
  session?.send('progress', { id, lines: [{ seq: -1, at: 0, stream: 'stdout', text: 'x' }] })
  session?.send('<script>', {})
  session?.socket.send(Buffer.from('binary'))
  while (log.filter(({ event }) => event === 'agent.odd-frame').length < 4) {
    await systemClock.sleep(5)
  }
  assert.ok(link.open)
  for (let sent = 0; sent < 100; sent++) {
    session?.send('alive', { id })
  }
  assert.equal((await link.closed).code, 'AGENT_MISBEHAVES')
  assert.equal(log.filter(({ event }) => event === 'agent.odd-frame').length, 10)
})

test('an agent that shows no life is left', async t => {
  const agent = new FakeAgent(t)
  const heartbeat = { pingEveryMs: 20, deadAfterMs: 60 }
  const { connection } = await connectTo(t, agent, { heartbeat })
  const link = await connection.link(WAIT)
  agent.sessions[0]?.socket.pause()
  await link.closed
})

test('an agent that answers pings is kept', async t => {
  const agent = new FakeAgent(t)
  const heartbeat = { pingEveryMs: 20, deadAfterMs: 5_000 }
  const { connection } = await connectTo(t, agent, { heartbeat })
  const link = await connection.link(WAIT)
  let pings = 0
  const { promise, resolve } = Promise.withResolvers<void>()
  agent.sessions[0]?.socket.on('ping', data => {
    assert.equal(data.length, 8)
    if (++pings === 5) {
      resolve()
    }
  })
  await promise
  assert.ok(link.open)
})

test('certificates are replaced in a session on both sides, and the new pin is kept before it counts', async t => {
  const folder = temporaryFolder(t)
  loadOrCreateIdentity({ folder, clock: clockOffBy(-61 * DAY), name: 'old', role: 'worker' })
  const identity = loadIdentity({ folder, clock: systemClock })
  const next = identity.certificates.next
  assert.ok(next)
  const agent = new FakeAgent(t, identity)
  const saved: Pin[] = []
  const { connection } = await connectTo(t, agent, { savePin: pin => void saved.push(pin) })
  await connection.link(WAIT)
  const { certificate, binding, notAfter } = next
  agent.sessions[0]?.send('rotate', { certificate, binding, notAfter })
  while (!agent.heard.some(({ command }) => command === 'rotated')) {
    await systemClock.sleep(5)
  }
  const answer = agent.heard.find(({ command }) => command === 'rotated')
  assert.deepEqual(answer?.data, { certificateId: certificateId(certificate) })
  assert.equal(saved.length, 1)
  assert.equal(saved[0]?.certificates.length, 2)
})

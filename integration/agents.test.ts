import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { startTestAgent, type TestAgent, testCommands } from '#agent/test-agent.ts'
import type { LogLine } from '#contract/agent-frames.ts'
import { systemClock } from '#lib/clock.ts'
import type { FairleadError } from '#lib/errors.ts'
import { newId } from '#lib/id.ts'
import { silentLogger } from '#lib/logger.ts'
import { loadIdentity, loadOrCreateIdentity, publicIdentity } from '#link/identity.ts'
import { type Pin, pinOf } from '#link/public-identity.ts'
import { successorOf } from '#link/succession.ts'
import { anIdentity, clockOffBy, DAY, temporaryFolder } from '#link/test-identities.ts'
import type { PinChange } from '#manager/agents/agent-pins.ts'
import { AgentConnection } from '#manager/agents/connection.ts'
import type { ConnectionOptions } from '#manager/agents/connection-options.ts'
import { LEAVE } from '#manager/agents/follow-options.ts'
import { rekey } from '#manager/agents/rekey.ts'
import { resumeCommand, tell } from '#manager/agents/tell.ts'
import { until } from '#manager/agents/test-agent.ts'

const WAIT = { waitMs: 20_000 }

function connected(
  t: TestContext,
  agent: TestAgent,
  options: Partial<ConnectionOptions> = {},
): AgentConnection {
  const connection = new AgentConnection({
    address: agent.address,
    identity: agent.manager,
    pin: agent.pin,
    epoch: () => 1,
    commands: testCommands(agent.stage),
    clock: systemClock,
    logger: silentLogger,
    ...options,
  })
  t.after(() => connection.close())
  return connection
}

/** A cable that can be cut. */
async function aCable(t: TestContext, address: string) {
  const open = new Set<Socket>()
  const [host = '', port = ''] = address.split(':')
  const server = createServer(near => {
    const far = connect(Number(port), host)
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(one)
      one.on('error', () => undefined)
      one.on('close', () => {
        open.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const cut = () => {
    for (const socket of open) {
      socket.resetAndDestroy()
    }
  }
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, cut }
}

test('M22 a cable cut again and again costs no line, doubles none, and the command runs once', async t => {
  const agent = await startTestAgent(t)
  const cable = await aCable(t, agent.address)
  const connection = connected(t, agent, { address: cable.address })
  const stored: number[] = []
  let cuts = 0
  const onLines = async (lines: readonly LogLine[], dropped: number) => {
    assert.equal(dropped, 0)
    stored.push(...lines.map(({ seq }) => seq))
    if (stored.length > (cuts + 1) * 1_500) {
      cuts++
      cable.cut()
    }
    await systemClock.sleep(1)
  }
  const params = { lines: 10_000, size: 1_000 }
  await tell(connection, {
    id: newId(),
    command: 'test.chatty',
    params,
    deadlineMs: 60_000,
    onLines,
    ...WAIT,
  })
  assert.ok(cuts >= 5)
  assert.deepEqual(
    stored,
    Array.from({ length: 10_000 }, (_, index) => index + 1),
  )
  assert.deepEqual(agent.stage.done, ['chatty'])
})

test('M23 a manager that was restarted follows its command to the end', async t => {
  const agent = await startTestAgent(t)
  const before = connected(t, agent)
  const id = newId()
  const stop = new AbortController()
  const stored: number[] = []
  const onLines = (lines: readonly LogLine[]) => {
    stored.push(...lines.map(({ seq }) => seq))
    stop.abort(LEAVE)
  }
  const params = { gate: 'restart', lines: 3_000 }
  const first = { id, command: 'test.wait', params, deadlineMs: 60_000, onLines, signal: stop.signal }
  await assert.rejects(tell(before, first), (error: FairleadError) => error.code === 'COMMAND_LEFT')
  await before.close()

  const after = connected(t, agent, { epoch: () => 2 })
  const following = resumeCommand(after, {
    id,
    fromSeq: stored.at(-1) ?? 0,
    onLines: lines => void stored.push(...lines.map(({ seq }) => seq)),
  })
  agent.stage.open('restart')
  assert.deepEqual(await following, { waited: 'restart' })
  assert.deepEqual(
    stored,
    Array.from({ length: 3_000 }, (_, index) => index + 1),
  )
})

test('M23 an agent that was restarted in the middle makes its manager look, not repeat', async t => {
  const agent = await startTestAgent(t)
  const connection = connected(t, agent)
  const telling = tell(connection, {
    id: newId(),
    command: 'test.wait',
    params: { gate: 'never' },
    deadlineMs: 60_000,
    ...WAIT,
  })
  telling.catch(() => undefined)
  while (agent.stage.done.length === 0) {
    await systemClock.sleep(5)
  }
  await agent.stop()
  await assert.rejects(telling, (error: FairleadError) => error.code === 'COMMAND_INTERRUPTED')
})

test('M18 one id told by three managers in turn runs once', async t => {
  const agent = await startTestAgent(t)
  const id = newId()
  const what = { id, command: 'test.echo', params: { text: 'once' }, deadlineMs: 60_000 }
  for (const epoch of [1, 2, 3]) {
    const connection = connected(t, agent, { epoch: () => epoch })
    assert.deepEqual(await tell(connection, { ...what, ...WAIT }), { text: 'once' })
  }
  assert.deepEqual(agent.stage.done, ['once'])
})

test('M21 a manager that stores slowly slows nothing down but its own reading', async t => {
  const agent = await startTestAgent(t)
  const connection = connected(t, agent)
  const slow = tell(connection, {
    id: newId(),
    command: 'test.chatty',
    params: { lines: 2_000, size: 2_000 },
    deadlineMs: 60_000,
    onLines: () => systemClock.sleep(20),
    ...WAIT,
  })
  const quick = await tell(connection, {
    id: newId(),
    command: 'test.echo',
    params: { text: 'quick' },
    deadlineMs: 60_000,
  })
  assert.deepEqual(quick, { text: 'quick' })
  assert.deepEqual(await slow, {})
})

test('M25 a manager from an old backup is told which epoch it needs', async t => {
  const agent = await startTestAgent(t)
  const newer = connected(t, agent, { epoch: () => 42 })
  await newer.link(WAIT)
  await newer.close()
  const older = connected(t, agent, { epoch: () => 41 })
  const refused = Promise.withResolvers<void>()
  older.onChange(() => older.state().lastError && refused.resolve())
  await refused.promise
  const { lastError } = older.state()
  assert.equal(lastError?.code, 'STALE_EPOCH')
  assert.match(lastError?.hint ?? '', /above 42/)
})

test('certificates of both sides are replaced while they work, and the next connection uses the new ones', async t => {
  const [ofWorker, ofManager] = [temporaryFolder(t), temporaryFolder(t)]
  const old = { clock: clockOffBy(-61 * DAY) }
  loadOrCreateIdentity({ folder: ofWorker, ...old, name: 'worker', role: 'worker' })
  loadOrCreateIdentity({ folder: ofManager, ...old, name: 'manager', role: 'manager' })
  const identity = loadIdentity({ folder: ofWorker, clock: systemClock })
  const manager = loadIdentity({ folder: ofManager, clock: systemClock })
  const before = [identity, manager].map(one => publicIdentity(one).certificate)
  const agent = await startTestAgent(t, { identity, manager })
  let pin: Pin = agent.pin
  const savePin = (saved: Pin) => {
    pin = saved
  }
  const first = connected(t, agent, { savePin })
  await first.link(WAIT)
  const isReplaced = () =>
    identity.certificates.next === undefined &&
    manager.certificates.shownTo(identity.keyId).certificate !== before[1]
  while (!isReplaced()) {
    await systemClock.sleep(5)
  }
  await first.close()
  assert.notEqual(publicIdentity(identity).certificate, before[0])
  assert.equal(pin.certificates.length, 2)
  await connected(t, agent, { pin, epoch: () => 2 }).link(WAIT)
})

test('R75 an agent gets a new key while it works: its commands go on, and the old key is nobody any more', async t => {
  const agent = await startTestAgent(t)
  const kept: (PinChange & { pin: Pin })[] = []
  const savePin = (pin: Pin, change: PinChange) => void kept.push({ pin, ...change })
  const connection = connected(t, agent, { savePin })
  const working = tell(connection, {
    ...{ id: newId(), command: 'test.wait', params: { gate: 'rekey' }, deadlineMs: 60_000 },
    ...WAIT,
  })
  while (agent.stage.done.length === 0) {
    await systemClock.sleep(5)
  }
  const key = await rekey(connection)
  assert.notEqual(key, agent.pin.keyId)
  assert.equal(agent.identity.keyId, key)
  assert.deepEqual(
    kept.map(({ pin, successor, replaced }) => [pin.keyId, successor?.keyId, replaced]),
    [
      [agent.pin.keyId, key, undefined],
      [key, undefined, agent.pin.keyId],
    ],
  )
  agent.stage.open('rekey')
  assert.deepEqual(await working, { waited: 'rekey' })
  await connection.close()

  const old = connected(t, agent, { epoch: () => 2 })
  await until(old, () => old.state().lastError !== undefined)
  assert.match(old.state().lastError?.code ?? '', /^AGENT_(UNREACHABLE|UNPROVEN)$/)
  await old.close()
  const pin = kept.at(-1)?.pin ?? agent.pin
  await connected(t, agent, { pin, epoch: () => 3 }).link(WAIT)
})

test('R75 a change of keys goes on where it was, whichever side was killed at whatever moment', async t => {
  const place = { folder: temporaryFolder(t), clock: systemClock }
  const identity = loadOrCreateIdentity({ ...place, name: 'box', role: 'worker' })
  const old = pinOf(publicIdentity(identity))
  const next = successorOf(old, identity.succession.prepare())
  const manager = anIdentity(t, 'manager')
  // The agent has made its key and nobody knows; the manager knows it, and did not get to say so.
  for (const successor of [undefined, next]) {
    const folder = temporaryFolder(t)
    cpSync(place.folder, folder, { recursive: true })
    const found = loadIdentity({ ...place, folder })
    assert.equal(found.keyId, old.keyId)
    const agent = await startTestAgent(t, { identity: found, manager })
    const connection = connected(t, agent, { pin: old, successor })
    await until(connection, () => connection.keyId === next.keyId)
    assert.equal(found.keyId, next.keyId)
    // The agent has taken over, and the manager did not notice.
    await connection.close()
    const late = connected(t, agent, { pin: old, successor: next, epoch: () => 2 })
    await late.link(WAIT)
    assert.equal(late.keyId, next.keyId)
    assert.equal(loadIdentity({ ...place, folder }).keyId, next.keyId)
  }
})

test('R75 a successor that the old key did not sign is none', t => {
  const [own, other] = [anIdentity(t, 'worker'), anIdentity(t, 'worker')]
  const honest = own.succession.prepare()
  const stolen = other.succession.prepare()
  const pin = pinOf(publicIdentity(own))
  for (const forged of [stolen, { ...honest, oldSig: stolen.oldSig }, { ...honest, newSig: honest.oldSig }]) {
    assert.throws(() => successorOf(pin, forged), { code: 'BAD_PUBLIC_IDENTITY' })
  }
  assert.equal(successorOf(pin, honest).name, pin.name)
})

test('a manager without the right to start processes can tell an agent', async t => {
  const folder = temporaryFolder(t)
  const manager = loadOrCreateIdentity({ folder, clock: systemClock, name: 'manager', role: 'manager' })
  const agent = await startTestAgent(t, { manager })
  const root = join(import.meta.dirname, '..')
  const readable = [root, folder].map(path => `--allow-fs-read=${path}`)
  const words = [
    join(root, 'integration/world/manager-process.ts'),
    agent.address,
    JSON.stringify(agent.pin),
    folder,
  ]
  const child = spawn(
    process.execPath,
    ['--no-warnings', '--permission', '--allow-net', ...readable, ...words],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  t.after(() => child.kill('SIGKILL'))
  assert.deepEqual(JSON.parse(await text(child.stdout)), { result: { text: 'hi' }, child: false })
})

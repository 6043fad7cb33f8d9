import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { CLOSE } from '#contract/agent-frames.ts'
import { newId } from '#lib/id.ts'
import { idemOf } from '#link/idem.ts'
import { MAX_STRIKES } from '#link/limits.ts'
import { startTestAgent, type TestAgentOptions } from './test-agent.ts'
import { type Received, TestManager } from './test-manager.ts'

async function connected(t: TestContext, options: TestAgentOptions = {}) {
  const agent = await startTestAgent(t, options)
  const manager = new TestManager(t, agent)
  await manager.open()
  return { agent, manager }
}

function codeOf({ data }: Received): string {
  return (data.error as { code: string }).code
}

test('a command is accepted, shows its lines, and gives its result', async t => {
  const { agent, manager } = await connected(t)
  const id = manager.tell('test.echo', { text: 'hello' })
  assert.deepEqual(await manager.ending(id), {
    command: 'result',
    data: { id, seq: 1, data: { text: 'hello' } },
  })
  assert.deepEqual(await manager.frame('accepted'), { id, command: 'test.echo', state: 'running' })
  assert.deepEqual(
    manager.lines(id).map(({ seq, text }) => [seq, text]),
    [[1, 'echo hello']],
  )
  assert.equal(agent.journal.find(id)?.state, 'succeeded')
})

const BAD: Readonly<Record<string, string | Buffer>> = {
  'a binary frame': Buffer.from('{"command":"cancel","data":{}}'),
  'half a JSON': '{"command":',
  null: 'null',
  'a list': '[]',
  'a number as command': '{"command":1,"data":{}}',
  'no data': '{"command":"test.echo"}',
  'an unknown command': '{"command":"exec","data":{"cmd":"id"}}',
  'a command of Object': '{"command":"constructor","data":{}}',
  'a further key': `{"command":"cancel","data":{"id":"${newId()}","force":true}}`,
  'a key twice': '{"command":"cancel","data":{},"command":"test.echo"}',
  'an id that is no id': '{"command":"cancel","data":{"id":"../../etc"}}',
  'a negative number': `{"command":"ack","data":{"id":"${newId()}","seq":-1}}`,
  'a second auth': '{"command":"auth","data":{}}',
  'a frame of the other side': '{"command":"welcome","data":{}}',
}

for (const [what, frame] of Object.entries(BAD)) {
  test(`M16 ${what} is answered with an error, five times with the end`, async t => {
    const { manager } = await connected(t)
    for (let sent = 0; sent < MAX_STRIKES; sent++) {
      manager.socket.send(frame)
    }
    assert.equal(await manager.closed, CLOSE.badFrame)
    const errors = manager.received.filter(({ command }) => command === 'error')
    assert.deepEqual(errors.map(codeOf), Array(MAX_STRIKES).fill('BAD_FRAME'))
  })
}

test('M16 invalid UTF-8 ends the socket', async t => {
  const { manager } = await connected(t)
  manager.socket.send(Buffer.from([0xff, 0xfe]), { binary: false })
  assert.equal(await manager.closed, 1007)
})

test('M16 four bad frames leave the session open', async t => {
  const { manager } = await connected(t)
  for (let sent = 0; sent < MAX_STRIKES - 1; sent++) {
    manager.socket.send('{}')
  }
  assert.equal((await manager.ending(manager.tell('test.echo', { text: 'x' }))).command, 'result')
})

test('M16 data that does not fit is refused with the place, and nothing is journalled', async t => {
  const { agent, manager } = await connected(t)
  const id = manager.tell('test.echo', { text: 5, more: 1 })
  const { error } = (await manager.ending(id)).data as {
    error: { code: string; problems: { path: string }[] }
  }
  assert.equal(error.code, 'BAD_PARAMS')
  assert.ok(error.problems.some(({ path }) => path === 'text'))
  assert.equal(agent.journal.find(id), undefined)
})

test('M18 the same command told again gives the same result and is done once', async t => {
  const { agent, manager } = await connected(t)
  const id = manager.tell('test.echo', { text: 'once' })
  const first = await manager.ending(id)
  manager.received.length = 0
  manager.tell('test.echo', { text: 'once' }, { id })
  assert.deepEqual(await manager.ending(id), first)
  assert.equal((await manager.frame('accepted')).state, 'succeeded')
  assert.deepEqual(agent.stage.done, ['once'])
})

test('M18 the same command told again while it runs is done once', async t => {
  const { agent, manager } = await connected(t)
  const id = manager.tell('test.wait', { gate: 'a' })
  for (let again = 0; again < 20; again++) {
    manager.tell('test.wait', { gate: 'a' }, { id })
  }
  await manager.frame('accepted')
  agent.stage.open('a')
  await manager.ending(id)
  assert.deepEqual(agent.stage.done, ['start a', 'end a'])
})

test('M18 a command told again after a restart of the agent gives the journalled result', async t => {
  const { agent, manager } = await connected(t)
  const id = manager.tell('test.echo', { text: 'before' })
  const first = await manager.ending(id)
  await agent.stop()
  const { folder, identity, manager: pinned } = agent
  const again = await startTestAgent(t, { folder, identity, manager: pinned })
  const second = new TestManager(t, again)
  await second.open()
  second.tell('test.echo', { text: 'before' }, { id })
  assert.deepEqual(await second.ending(id), first)
  assert.deepEqual(again.stage.done, [])
})

test('M19 an id that is used again for something else is a conflict', async t => {
  const { agent, manager } = await connected(t)
  const id = manager.tell('test.echo', { text: 'one' })
  await manager.ending(id)
  for (const [command, params] of [
    ['test.echo', { text: 'two' }],
    ['test.wait', { gate: 'one' }],
  ] as const) {
    manager.received.length = 0
    manager.tell(command, params, { id })
    assert.equal(codeOf(await manager.ending(id)), 'COMMAND_CONFLICT')
  }
  assert.deepEqual(agent.stage.done, ['one'])
})

test('M19 a hash that is not that of the data is refused', async t => {
  const { agent, manager } = await connected(t)
  const id = manager.tell('test.echo', { text: 'one' }, { idem: idemOf({ text: 'two' }) })
  assert.equal(codeOf(await manager.ending(id)), 'BAD_FRAME')
  assert.deepEqual(agent.stage.done, [])
})

test('M22 a command goes on when the socket is cut, and its lines are told again from where they were stored', async t => {
  const { agent, manager } = await connected(t)
  const id = manager.tell('test.wait', { gate: 'cut', lines: 500 })
  await manager.frame('progress', data => data.id === id)
  manager.socket.terminate()
  await manager.closed
  const second = new TestManager(t, agent)
  const { running } = await second.open()
  assert.deepEqual(running, [{ id, seq: 500, state: 'running' }])
  second.send('resume', { id, fromSeq: 120 })
  agent.stage.open('cut')
  assert.equal((await second.ending(id)).command, 'result')
  const numbers = second.lines(id).map(({ seq }) => seq)
  assert.deepEqual(
    numbers,
    Array.from({ length: 380 }, (_, index) => 121 + index),
  )
})

test('M22 a log is forgotten when its end is acknowledged, its result is not', async t => {
  const { agent, manager } = await connected(t)
  const id = manager.tell('test.echo', { text: 'kept' })
  const { data } = await manager.ending(id)
  assert.ok(existsSync(join(agent.folder, 'commands', id)))
  manager.send('ack', { id, seq: data.seq })
  manager.received.length = 0
  manager.send('resume', { id, fromSeq: 0 })
  assert.deepEqual((await manager.ending(id)).data, data)
  assert.ok(!existsSync(join(agent.folder, 'commands', id)))
  assert.deepEqual(agent.obey.running(), [])
})

test('M24 a worker does not touch the firewall, a guardian runs nothing of a worker', async t => {
  const { agent, manager } = await connected(t)
  assert.equal(codeOf(await manager.ending(manager.tell('firewall.open', { port: 80 }))), 'FORBIDDEN_COMMAND')
  assert.deepEqual(agent.stage.done, [])
  const { agent: guardian, manager: other } = await connected(t, {
    role: 'guardian',
    obey: { role: 'guardian' },
  })
  assert.equal(codeOf(await other.ending(other.tell('test.echo', { text: 'x' }))), 'FORBIDDEN_COMMAND')
  assert.equal((await other.ending(other.tell('firewall.open', { port: 80 }))).command, 'result')
  assert.deepEqual(guardian.stage.done, ['firewall.open'])
})

test('commands with the same lock run one after another, others beside them', async t => {
  const { agent, manager } = await connected(t)
  const ids = ['a/1', 'a/2', 'b/1'].map(gate => manager.tell('test.wait', { gate }))
  for (const gate of ['a/2', 'b/1']) {
    agent.stage.open(gate)
  }
  await manager.ending(ids[2] ?? '')
  assert.deepEqual(agent.stage.done, ['start a/1', 'start b/1', 'end b/1'])
  agent.stage.open('a/1')
  await manager.ending(ids[1] ?? '')
  assert.deepEqual(agent.stage.done.slice(3), ['end a/1', 'start a/2', 'end a/2'])
})

test('a command is cancelled at work and while it waits for its turn', async t => {
  const { agent, manager } = await connected(t)
  const ids = ['c/1', 'c/2'].map(gate => manager.tell('test.wait', { gate }))
  await manager.frame('accepted', data => data.id === ids[1])
  for (const id of ids.toReversed()) {
    manager.send('cancel', { id })
    assert.equal(codeOf(await manager.ending(id)), 'COMMAND_CANCELLED')
    assert.equal(agent.journal.find(id)?.state, 'cancelled')
  }
  assert.deepEqual(agent.stage.done, ['start c/1'])
})

test('a command ends at its deadline, even one that does not listen', async t => {
  const { manager } = await connected(t, { obey: { graceMs: 20 } })
  for (const [command, params] of [
    ['test.wait', { gate: 'never' }],
    ['test.stubborn', {}],
  ] as const) {
    const id = manager.tell(command, params, { deadlineMs: 50 })
    assert.equal(codeOf(await manager.ending(id)), 'COMMAND_TIMED_OUT')
  }
})

for (const fail of [undefined, 'yes'] as const) {
  test(`R01 a secret in the data is in no line, ${fail ? 'error' : 'result'}, journal or log`, async t => {
    const { agent, manager } = await connected(t)
    const token = 'hunter2-canary-value'
    const id = manager.tell('test.secret', { token, ...(fail ? { fail } : {}) })
    assert.equal((await manager.ending(id)).command, fail ? 'error' : 'result')
    assert.equal(manager.lines(id).length, 2)
    await agent.stop()
    const kept = ['journal.db', `commands/${id}/0000000000000001.log`].map(name =>
      readFileSync(join(agent.folder, name), 'latin1'),
    )
    for (const text of [JSON.stringify(manager.received), JSON.stringify(agent.log), ...kept]) {
      assert.ok(!text.includes(token))
      assert.ok(!text.includes(Buffer.from(token).toString('base64').slice(0, 16)))
    }
  })
}

test('a result that does not fit is an error of ours, not of the command', async t => {
  const { manager } = await connected(t)
  assert.equal(codeOf(await manager.ending(manager.tell('test.wrong', {}))), 'BAD_RESULT')
})

test('a command without news shows that it is at work', async t => {
  const { agent, manager } = await connected(t, { obey: { aliveEveryMs: 20 } })
  const id = manager.tell('test.wait', { gate: 'quiet' })
  assert.deepEqual(await manager.frame('alive'), { id })
  agent.stage.open('quiet')
  await manager.ending(id)
})

test('M23 an agent that stops says so of what was at work', async t => {
  const { agent, manager } = await connected(t)
  const id = manager.tell('test.wait', { gate: 'stop' })
  await manager.frame('accepted')
  await agent.stop()
  assert.equal(codeOf(await manager.ending(id)), 'COMMAND_INTERRUPTED')
})

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { LogLine } from '#contract/agent-frames.ts'
import { systemClock } from '#lib/clock.ts'
import { FairleadError, INTERNAL, toWire } from '#lib/errors.ts'
import { newId } from '#lib/id.ts'
import { UNKNOWN_COMMAND_ID } from '#link/errors.ts'
import { idemOf } from '#link/idem.ts'
import { AGENT_MISBEHAVES, AGENT_OFFLINE, COMMAND_LOST } from './errors.ts'
import { LEAVE } from './follow-options.ts'
import { resumeCommand, tell } from './tell.ts'
import { type Behaviour, connectTo, FakeAgent, type Frame, type Session, until } from './test-agent.ts'

const ECHO = { command: 'test.echo', params: { text: 'hello' }, deadlineMs: 60_000 }

async function connected(t: TestContext, answer: Behaviour['answer']) {
  const agent = new FakeAgent(t)
  agent.behaviour = answer ? { answer } : {}
  return { agent, ...(await connectTo(t, agent)) }
}

function line(seq: number, text = `line ${seq}`): LogLine {
  return { seq, at: 0, stream: 'stdout', text }
}

function accept({ send }: Session, { data, command }: Frame): void {
  send('accepted', { id: data.id, command, state: 'running' })
}

function hasCode(code: string) {
  return (error: unknown) => error instanceof FairleadError && error.code === code
}

function heard(agent: FakeAgent, command: string): Frame[] {
  return agent.heard.filter(frame => frame.command === command)
}

test('a command travels with id, deadline and hash, its lines are stored before they are acknowledged', async t => {
  const { agent, connection } = await connected(t, (session, frame) => {
    if (frame.command === 'test.echo') {
      accept(session, frame)
      session.send('progress', { id: frame.data.id, lines: [line(1), line(2)] })
      session.send('progress', { id: frame.data.id, lines: [line(3)] })
      session.send('result', { id: frame.data.id, seq: 3, data: { text: 'hello' } })
    }
  })
  const id = newId()
  const stored: number[] = []
  const onLines = async (lines: readonly LogLine[]) => {
    await systemClock.sleep(5)
    assert.ok(heard(agent, 'ack').every(({ data }) => stored.includes(Number(data.seq))))
    stored.push(...lines.map(({ seq }) => seq))
  }
  assert.deepEqual(await tell(connection, { ...ECHO, id, onLines }), { text: 'hello' })
  assert.deepEqual(stored, [1, 2, 3])
  assert.deepEqual(heard(agent, 'test.echo')[0]?.data, {
    id,
    deadlineMs: 60_000,
    idem: idemOf(ECHO.params),
    params: ECHO.params,
  })
  while (heard(agent, 'ack').length < 3) {
    await systemClock.sleep(5)
  }
  const acks = heard(agent, 'ack').map(({ data }) => data.seq)
  assert.deepEqual(acks, [2, 3, 3])
})

test('the error of a command arrives with code, hint and retry', async t => {
  const error = {
    ...toWire(INTERNAL('it burns')),
    code: 'IT_BURNS',
    retry: { afterSeconds: 7 },
    facts: { where: 'here' },
  }
  const { connection } = await connected(t, ({ send }, { data }) =>
    send('error', { id: data.id, seq: 0, error }),
  )
  await assert.rejects(tell(connection, { ...ECHO, id: newId() }), (raised: unknown) => {
    assert.ok(raised instanceof FairleadError)
    assert.deepEqual(toWire(raised), error)
    return true
  })
})

test('M22 a cut in the middle costs nothing: lines go on after the last stored one, each once', async t => {
  const { agent, connection } = await connected(t, (session, frame) => {
    const { id } = frame.data
    if (frame.command === 'test.echo') {
      accept(session, frame)
      session.send('progress', { id, lines: [line(1), line(2)] })
      session.send('progress', { id, lines: [line(3)] })
    }
    if (frame.command === 'ack' && frame.data.seq === 3 && agent.sessions.length === 1) {
      session.socket.terminate()
    }
    if (frame.command === 'resume') {
      session.send('accepted', { id, command: 'test.echo', state: 'running' })
      session.send('progress', { id, lines: [line(4), line(5)] })
      session.send('result', { id, seq: 5, data: { text: 'hello' } })
    }
  })
  const stored: number[] = []
  const onLines = (lines: readonly LogLine[]) => void stored.push(...lines.map(({ seq }) => seq))
  assert.deepEqual(await tell(connection, { ...ECHO, id: newId(), onLines }), { text: 'hello' })
  assert.deepEqual(stored, [1, 2, 3, 4, 5])
  assert.equal(heard(agent, 'test.echo').length, 1)
  assert.equal(heard(agent, 'resume')[0]?.data.fromSeq, 3)
})

test('M23 a command that was never accepted is told again, once', async t => {
  const { agent, connection } = await connected(t, (session, frame) => {
    const { id } = frame.data
    if (frame.command === 'test.echo' && agent.sessions.length === 1) {
      session.socket.terminate()
    } else if (frame.command === 'resume') {
      session.send('error', { id, error: toWire(UNKNOWN_COMMAND_ID(String(id))) })
    } else if (frame.command === 'test.echo') {
      accept(session, frame)
      session.send('result', { id, seq: 0, data: { text: 'hello' } })
    }
  })
  await tell(connection, { ...ECHO, id: newId() })
  assert.equal(heard(agent, 'test.echo').length, 2)
})

test('M23 a command that was accepted and is unknown now is lost, and not told again', async t => {
  const { agent, connection } = await connected(t, (session, frame) => {
    const { id } = frame.data
    if (frame.command === 'test.echo') {
      accept(session, frame)
      session.socket.close()
    }
    if (frame.command === 'resume') {
      session.send('error', { id, error: toWire(UNKNOWN_COMMAND_ID(String(id))) })
    }
  })
  await assert.rejects(tell(connection, { ...ECHO, id: newId() }), COMMAND_LOST.matches)
  assert.equal(heard(agent, 'test.echo').length, 1)
})

test('M23 a command of before a restart is asked for and never told', async t => {
  const { agent, connection } = await connected(t, (session, frame) => {
    const { id } = frame.data
    if (frame.command === 'resume') {
      session.send('accepted', { id, command: 'test.echo', state: 'succeeded' })
      session.send('progress', { id, lines: [line(8)] })
      session.send('result', { id, seq: 8, data: { text: 'old' } })
    }
  })
  const id = newId()
  const stored: number[] = []
  const onLines = (lines: readonly LogLine[]) => void stored.push(...lines.map(({ seq }) => seq))
  assert.deepEqual(await resumeCommand(connection, { id, fromSeq: 7, onLines }), { text: 'old' })
  assert.deepEqual(stored, [8])
  assert.equal(heard(agent, 'test.echo').length, 0)

  agent.behaviour = {
    answer: ({ send }, frame) => send('error', { id: frame.data.id, error: toWire(UNKNOWN_COMMAND_ID('x')) }),
  }
  await assert.rejects(resumeCommand(connection, { id: newId(), fromSeq: 0 }), COMMAND_LOST.matches)
})

test('M23 a command that waits for its data is told again, and is lost when nobody has it', async t => {
  const { agent, connection } = await connected(t, (session, frame) => {
    const { id, params } = frame.data
    if (frame.command === 'resume') {
      session.send('accepted', { id, command: 'test.echo', state: 'orphaned' })
    } else if (frame.command === 'test.echo') {
      session.send('result', { id, seq: 0, data: params })
    }
  })
  const again = () => ({ command: 'test.echo', params: { text: 'old' } })
  assert.deepEqual(await resumeCommand(connection, { id: newId(), again }), { text: 'old' })
  await assert.rejects(resumeCommand(connection, { id: newId() }), COMMAND_LOST.matches)
  assert.equal(heard(agent, 'test.echo').length, 1)
})

test('an agent that is stopping is told again when it is back', async t => {
  const { agent, connection } = await connected(t, (session, frame) => {
    const { id } = frame.data
    if (frame.command === 'test.echo' && agent.sessions.length === 1) {
      session.send('error', { id, error: { ...toWire(INTERNAL('stopping')), code: 'AGENT_STOPPING' } })
      session.socket.close(1001)
    } else if (frame.command === 'resume') {
      session.send('error', { id, error: toWire(UNKNOWN_COMMAND_ID(String(id))) })
    } else if (frame.command === 'test.echo') {
      accept(session, frame)
      session.send('result', { id, seq: 0, data: { text: 'hello' } })
    }
  })
  assert.deepEqual(await tell(connection, { ...ECHO, id: newId() }), { text: 'hello' })
})

test('an agent that is away for too long is offline', async t => {
  const agent = new FakeAgent(t)
  const { connection } = await connectTo(t, agent, { address: '127.0.0.1:1' })
  await assert.rejects(tell(connection, { ...ECHO, id: newId(), waitMs: 50 }), AGENT_OFFLINE.matches)
})

for (const when of ['before it was told', 'while it runs'] as const) {
  test(`a command is cancelled ${when}`, async t => {
    const stop = new AbortController()
    const { agent, connection } = await connected(t, (session, frame) => {
      if (frame.command === 'test.echo') {
        accept(session, frame)
        stop.abort('enough')
      }
      if (frame.command === 'cancel') {
        const error = { ...toWire(INTERNAL('x')), code: 'COMMAND_CANCELLED' }
        session.send('error', { id: frame.data.id, seq: 0, error })
      }
    })
    if (when === 'before it was told') {
      stop.abort('enough')
    }
    const telling = tell(connection, { ...ECHO, id: newId(), signal: stop.signal })
    await assert.rejects(telling, hasCode('COMMAND_CANCELLED'))
    assert.equal(heard(agent, 'cancel').length, when === 'while it runs' ? 1 : 0)
  })
}

for (const why of ['it was waited for in vain', 'the command was cancelled meanwhile'] as const) {
  test(`a command on an agent that went away is cancelled when the agent is back: ${why}`, async t => {
    const stop = new AbortController()
    const agent = new FakeAgent(t)
    agent.behaviour = {
      answer(session, frame) {
        if (frame.command === 'test.echo') {
          accept(session, frame)
          agent.stop()
        }
      },
    }
    const address = await agent.start()
    const { connection } = await connectTo(t, agent, { address })
    await until(connection, () => connection.state().status === 'connected')
    const id = newId()
    const waitMs = why === 'it was waited for in vain' ? 50 : 600_000
    const telling = tell(connection, { ...ECHO, id, waitMs, signal: stop.signal })
    telling.catch(() => undefined)
    await until(connection, () => connection.state().status === 'connecting')
    if (waitMs > 50) {
      stop.abort('enough')
    }
    await assert.rejects(telling, hasCode(waitMs > 50 ? 'COMMAND_CANCELLED' : 'AGENT_OFFLINE'))
    await agent.start(Number(address.split(':')[1]))
    while (heard(agent, 'cancel').length === 0) {
      await systemClock.sleep(5)
    }
    assert.equal(heard(agent, 'cancel')[0]?.data.id, id)
  })
}

test('a manager that stops leaves its commands at work', async t => {
  const stop = new AbortController()
  const { agent, connection } = await connected(t, (session, frame) => {
    if (frame.command === 'test.echo') {
      accept(session, frame)
      stop.abort(LEAVE)
    }
  })
  await assert.rejects(
    tell(connection, { ...ECHO, id: newId(), signal: stop.signal }),
    hasCode('COMMAND_LEFT'),
  )
  while (heard(agent, 'leave').length === 0) {
    await systemClock.sleep(5)
  }
  assert.equal(heard(agent, 'cancel').length, 0)
})

test('lines that cannot be stored end the telling with that error', async t => {
  const { agent, connection } = await connected(t, (session, frame) => {
    if (frame.command === 'test.echo') {
      accept(session, frame)
      session.send('progress', { id: frame.data.id, lines: [line(1)] })
      session.send('progress', { id: frame.data.id, lines: [line(2)] })
    }
  })
  let calls = 0
  const onLines = async () => {
    calls++
    throw INTERNAL('disk full')
  }
  await assert.rejects(tell(connection, { ...ECHO, id: newId(), onLines }), /disk full/)
  assert.equal(calls, 1)
  assert.equal(heard(agent, 'ack').length, 0)
})

test('lines that are gone for good are counted', async t => {
  const { connection } = await connected(t, (session, { command, data: { id } }) => {
    if (command === 'test.echo') {
      session.send('accepted', { id, command, state: 'running' })
      session.send('progress', { id, lines: [line(1)] })
      session.send('progress', { id, lines: [line(11)], dropped: 9 })
      session.send('result', { id, seq: 11, data: { text: 'x' } })
    }
  })
  const drops: number[] = []
  await tell(connection, { ...ECHO, id: newId(), onLines: (_lines, dropped) => void drops.push(dropped) })
  assert.deepEqual(drops, [0, 9])
})

const ROGUE: Readonly<Record<string, readonly LogLine[][]>> = {
  'lines that were told before': [[line(1), line(2)], [line(2)]],
  'lines in reverse': [[line(2), line(1)]],
  'a line twice': [[line(1), line(1)]],
  'line 0': [[line(0)]],
}

for (const [what, pieces] of Object.entries(ROGUE)) {
  test(`X02 ${what} are ignored and flagged`, async t => {
    const { connection, log } = await connected(t, (session, { command, data: { id } }) => {
      if (command === 'test.echo') {
        for (const lines of pieces) {
          session.send('progress', { id, lines })
        }
        session.send('result', { id, seq: 9, data: { text: 'x' } })
      }
    })
    const stored: number[] = []
    const onLines = (lines: readonly LogLine[]) => void stored.push(...lines.map(({ seq }) => seq))
    await tell(connection, { ...ECHO, id: newId(), onLines })
    assert.deepEqual(stored, pieces.length > 1 ? [1, 2] : [])
    assert.ok(log.some(({ event }) => event === 'agent.odd-frame'))
  })
}

const FAKED: Readonly<Record<string, unknown>> = {
  'of the wrong shape': { text: 5 },
  'with a key too many': { text: 'x', html: '<script>' },
  'of nothing': null,
}

for (const [what, data] of Object.entries(FAKED)) {
  test(`X02 a result ${what} is no result`, async t => {
    const { connection } = await connected(t, ({ send }, { data: { id } }) =>
      send('result', { id, seq: 0, data }),
    )
    await assert.rejects(tell(connection, { ...ECHO, id: newId() }), hasCode('BAD_ANSWER'))
  })
}

test('X02 the result of another command under our id does not count as ours', async t => {
  const { connection, log } = await connected(t, (session, { command, data: { id } }) => {
    if (command === 'test.echo') {
      session.send('accepted', { id, command: 'test.other', state: 'running' })
      session.send('result', { id, seq: 0, data: { text: 'x' } })
    }
  })
  await tell(connection, { ...ECHO, id: newId() })
  assert.ok(log.some(({ fields }) => /instead of test.echo/.test(String(fields.reason))))
})

test('X02 an agent that floods beyond the window is left', async t => {
  let sent = 0
  const { connection } = await connected(t, (session, frame) => {
    if (frame.command !== 'test.echo') {
      return
    }
    accept(session, frame)
    const flood = () => {
      const lines = Array.from({ length: 60 }, () => line(++sent, 'x'.repeat(16_000)))
      const text = JSON.stringify({ command: 'progress', data: { id: frame.data.id, lines } })
      session.socket.send(text, error => !error && sent < 60_000 && flood())
    }
    flood()
  })
  const link = await connection.link({ waitMs: 20_000 })
  const never = new Promise<void>(() => undefined)
  const stop = new AbortController()
  const telling = tell(connection, { ...ECHO, id: newId(), signal: stop.signal, onLines: () => never })
  assert.ok(AGENT_MISBEHAVES.matches(await link.closed))
  stop.abort(LEAVE)
  await assert.rejects(telling, hasCode('COMMAND_LEFT'))
})

test('a command that is larger than a frame is refused here', async t => {
  const { connection } = await connected(t, undefined)
  const params = { text: 'x'.repeat(1024 * 1024) }
  await assert.rejects(tell(connection, { ...ECHO, params, id: newId() }), hasCode('COMMAND_TOO_LARGE'))
})

test('more commands than an agent takes wait for their turn', async t => {
  let most = 0
  const open = new Set<unknown>()
  const { connection } = await connected(t, (session, frame) => {
    if (frame.command === 'test.echo') {
      open.add(frame.data.id)
      most = Math.max(most, open.size)
      setImmediate(() => {
        open.delete(frame.data.id)
        session.send('result', { id: frame.data.id, seq: 0, data: { text: 'x' } })
      })
    }
  })
  await Promise.all(Array.from({ length: 300 }, () => tell(connection, { ...ECHO, id: newId() })))
  assert.ok(most <= 64)
})

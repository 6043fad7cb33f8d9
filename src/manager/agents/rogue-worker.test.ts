import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import { newId } from '#lib/id.ts'
import { connectTo, FakeAgent } from './test-agent.ts'

const WAIT = { waitMs: 20_000 }

/** What a worker might ask for if the protocol had words for it. */
const ASKED: readonly (readonly [command: string, data: object])[] = [
  ['secrets.get', { host: 'other', name: 'TOKEN' }],
  ['secrets.list', { host: 'other' }],
  ['secrets', { app: 'shop' }],
  ['jobs.take', { host: 'other' }],
  ['repository.credential', { repository: 'infra' }],
  ['registry.login', {}],
  ['hosts.list', {}],
  // What only a manager says.
  ['container.start', { id: newId(), params: {} }],
  ['resume', { id: newId(), fromSeq: 0 }],
  ['auth', {}],
  ['__proto__', {}],
]

for (const [command, data] of ASKED) {
  test(`X03 a worker that asks with "${command}" gets nothing, and that is written down`, async t => {
    const agent = new FakeAgent(t)
    const { connection, log } = await connectTo(t, agent)
    const link = await connection.link(WAIT)
    const before = agent.heard.length
    agent.sessions[0]?.send(command, data as Record<string, unknown>)
    while (!log.some(({ event }) => event === 'agent.odd-frame')) {
      await systemClock.sleep(5)
    }
    // What was sent to it afterwards arrives after any answer would have.
    link.send('cancel', { id: newId() })
    while (!agent.heard.slice(before).some(frame => frame.command === 'cancel')) {
      await systemClock.sleep(5)
    }
    assert.deepEqual(
      agent.heard.slice(before).map(frame => frame.command),
      ['cancel'],
    )
  })
}

test('X03 a worker that asks for the commands of another one by their ids hears nothing, and is left', async t => {
  const [own, other] = [new FakeAgent(t), new FakeAgent(t)]
  const [asking, asked] = [await connectTo(t, own), await connectTo(t, other)]
  const link = await asking.connection.link(WAIT)
  const untouched = await asked.connection.link(WAIT)
  const before = own.heard.length
  for (let sent = 0; sent < 200; sent++) {
    own.sessions[0]?.send('accepted', { id: newId(), command: 'test.echo', state: 'running' })
  }
  assert.equal((await link.closed).code, 'AGENT_MISBEHAVES')
  assert.deepEqual(
    own.heard.slice(before).filter(frame => frame.command !== 'auth'),
    [],
  )
  assert.equal(asking.log.filter(({ event }) => event === 'agent.odd-frame').length, 10)
  assert.ok(asking.log.some(({ event }) => event === 'agent.misbehaves'))
  assert.ok(untouched.open)
})

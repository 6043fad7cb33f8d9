import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import { loadOrCreateIdentity, publicIdentity } from '#link/identity.ts'
import { anIdentity, pinFor, temporaryFolder } from '#link/test-identities.ts'
import { peersIn } from './peers.ts'
import { startAgentProcess } from './test-agent-child.ts'
import { TestManager } from './test-manager.ts'

test('M23 an agent killed in the middle of a command says so after its restart, and does not run it again', async t => {
  const folder = temporaryFolder(t)
  const identity = loadOrCreateIdentity({ folder, clock: systemClock, name: 'killed', role: 'worker' })
  const manager = anIdentity(t, 'manager')
  peersIn(folder).trust(publicIdentity(manager))
  const known = { identity, manager, pin: pinFor(identity) }

  const before = await startAgentProcess(t, folder, known)
  const first = new TestManager(t, before, { epoch: 7 })
  await first.open()
  const ended = first.tell('test.echo', { text: 'done' })
  const result = await first.ending(ended)
  const running = first.tell('test.wait', { gate: 'never', lines: 300 })
  await first.frame('progress', ({ id, lines }) => id === running && (lines as unknown[]).length > 0)
  const seen = first.lines(running).length
  before.child.kill('SIGKILL')
  await once(before.child, 'exit')

  const after = await startAgentProcess(t, folder, known)
  const second = new TestManager(t, after, { epoch: 7 })
  const welcome = await second.open()
  const states = (welcome.running as { id: string; state: string }[]).map(({ id, state }) => [id, state])
  assert.deepEqual(
    new Map(states as [string, string][]),
    new Map([
      [running, 'interrupted'],
      [ended, 'succeeded'],
    ]),
  )
  second.send('resume', { id: running, fromSeq: seen })
  second.send('ack', { id: running, seq: seen })
  const { command, data } = await second.ending(running)
  assert.equal(command, 'error')
  assert.equal((data.error as { code: string }).code, 'COMMAND_INTERRUPTED')
  assert.ok(second.lines(running).every(({ seq }) => seq > seen))

  second.received.length = 0
  second.tell('test.wait', { gate: 'never', lines: 300 }, { id: running })
  assert.equal((await second.frame('accepted')).state, 'interrupted')
  assert.equal((await second.ending(running)).command, 'error')
  second.tell('test.echo', { text: 'done' }, { id: ended })
  assert.deepEqual(await second.ending(ended), result)
  assert.equal(await new TestManager(t, after, { epoch: 6 }).refused(), 4409)
})

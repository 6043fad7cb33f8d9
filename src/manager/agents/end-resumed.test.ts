import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toWire } from '#lib/errors.ts'
import { newId } from '#lib/id.ts'
import { COMMAND_CANCELLED } from '#link/errors.ts'
import { LEAVE } from './follow-options.ts'
import { resumeCommand } from './tell.ts'
import { connectTo, FakeAgent } from './test-agent.ts'

for (const state of ['running', 'orphaned']) {
  test(`a command of before a restart that is not wanted any more is ended, also one that is ${state}`, async t => {
    const agent = new FakeAgent(t)
    agent.behaviour = {
      answer({ send }, { command, data: { id } }) {
        if (command === 'resume') {
          send('accepted', { id, command: 'test.echo', state })
        }
        if (command === 'cancel') {
          send('error', { id, seq: 0, error: toWire(COMMAND_CANCELLED('test.echo')) })
        }
      },
    }
    const { connection } = await connectTo(t, agent)
    const heard = (command: string) => agent.heard.filter(frame => frame.command === command)
    const again = () => ({ command: 'test.echo', params: { text: 'hello' } })
    const signal = AbortSignal.abort('no longer wanted')
    await assert.rejects(resumeCommand(connection, { id: newId(), again, signal }), COMMAND_CANCELLED.matches)
    assert.deepEqual(heard('test.echo'), [], 'it is not told again')
    await assert.rejects(resumeCommand(connection, { id: newId(), signal: AbortSignal.abort(LEAVE) }))
    assert.equal(heard('cancel').length, 1, 'a manager that stops ends nothing')
  })
}

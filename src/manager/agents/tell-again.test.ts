import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId } from '#lib/id.ts'
import { tell } from './tell.ts'
import { connectTo, FakeAgent, until } from './test-agent.ts'

const ECHO = { command: 'test.echo', params: { text: 'hello' }, deadlineMs: 60_000 }

for (const [what, comesBack] of [
  ['that said so', true],
  ['that is there before the agent is', false],
] as const) {
  test(`a command is left at work for somebody who asks for it with its id again, ${what}`, async t => {
    const agent = new FakeAgent(t)
    const heard = (command: string) => agent.heard.filter(frame => frame.command === command)
    agent.behaviour = {
      answer(session, { command, data }) {
        if (command !== 'test.echo') {
          return
        }
        session.send('accepted', { id: data.id, command, state: 'running' })
        if (heard('test.echo').length === 1) {
          agent.stop()
        } else {
          session.send('result', { id: data.id, seq: 0, data: { text: 'hello' } })
        }
      },
    }
    const address = await agent.start()
    const { connection } = await connectTo(t, agent, { address })
    await until(connection, () => connection.state().status === 'connected')
    const id = newId()
    await assert.rejects(tell(connection, { ...ECHO, id, waitMs: 50, comesBack }), { code: 'AGENT_OFFLINE' })
    const again = () => tell(connection, { ...ECHO, id, waitMs: 600_000 })
    const early = comesBack ? undefined : again()
    await agent.start(Number(address.split(':')[1]))
    await until(connection, () => connection.state().status === 'connected')
    assert.deepEqual(await (early ?? again()), { text: 'hello' })
    assert.deepEqual(heard('cancel'), [])
  })
}

import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { systemClock } from '#lib/clock.ts'
import { newId } from '#lib/id.ts'
import { tell } from './tell.ts'
import { connectTo, FakeAgent } from './test-agent.ts'

test('a connection keeps nothing of commands that have ended', async t => {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  const agent = new FakeAgent(t)
  agent.behaviour = {
    answer({ send }, { data }) {
      send('accepted', { id: data.id, command: 'test.echo', state: 'running' })
      send('result', { id: data.id, seq: 0, data: { text: 'x'.repeat(1_000) } })
    },
  }
  const { connection } = await connectTo(t, agent)
  const results: WeakRef<object>[] = []
  for (let told = 0; told < 20; told++) {
    const wish = { command: 'test.echo', params: { text: 'hello' }, deadlineMs: 60_000, id: newId() }
    results.push(new WeakRef((await tell(connection, wish)) as object))
  }
  // A reference that was looked at stays until the end of the turn.
  await systemClock.sleep(10)
  gc()
  await systemClock.sleep(10)
  gc()
  equal(connection.state().status, 'connected')
  deepEqual(results.filter(result => result.deref() !== undefined).length, 0)
})

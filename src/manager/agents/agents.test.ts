import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestStore } from '#manager/deployments/test-store.ts'
import { createAgents } from './agents.ts'
import type { AgentConnection } from './connection.ts'

test('R76 a revoked host is let go of at once and told nothing more, though it is still named', async () => {
  const store = await openTestStore()
  const closed: string[] = []
  const row = { role: 'worker', address: 'x:1', identity: '{"keyId":"0"}', created_at: 1 } as const
  await store.db
    .insertInto('hosts')
    .values([
      { ...row, name: 'broken' },
      { ...row, name: 'sound', identity: '{"keyId":"1"}' },
    ])
    .execute()
  const agents = createAgents({
    ...store,
    // Only what the list of connections asks of one.
    open: ({ name }) =>
      ({
        knows: () => true,
        state: () => ({ status: 'connected', since: 0, attempts: 0 }),
        close: async () => void closed.push(name),
      }) as unknown as AgentConnection,
  })
  await agents.refresh()
  await store.db.updateTable('hosts').set({ revoked_at: 7 }).where('name', '=', 'broken').execute()
  await agents.refresh()
  assert.deepEqual(closed, ['broken'])
  const told = agents.tell('broken', { id: 'x', command: 'host.observe', params: {}, deadlineMs: 1 })
  await assert.rejects(told, /"broken" is not connected: its key was revoked/)
  assert.deepEqual(
    [agents.state('broken')?.status, agents.state('broken')?.since, agents.state('sound')?.status],
    ['closed', 7, 'connected'],
  )
  await store.close()
})

test('R76 a host that is revoked while the connection of another one closes is not dialled again', async () => {
  const store = await openTestStore()
  const row = { role: 'worker', address: 'x:1', created_at: 1 } as const
  const names = ['one', 'two']
  await store.db
    .insertInto('hosts')
    .values(names.map(name => ({ ...row, name, identity: JSON.stringify({ keyId: name }) })))
    .execute()
  const opened: string[] = []
  const closing = Promise.withResolvers<void>()
  const agents = createAgents({
    ...store,
    open: ({ name }) => {
      opened.push(name)
      const close = () => (name === 'one' ? closing.promise : Promise.resolve())
      return { knows: () => true, close } as unknown as AgentConnection
    },
  })
  await agents.refresh()
  const revoke = (name: string) =>
    store.db.updateTable('hosts').set({ revoked_at: 7 }).where('name', '=', name).execute()
  await revoke('one')
  const first = agents.refresh()
  await revoke('two')
  const second = agents.refresh()
  closing.resolve()
  await Promise.all([first, second])
  assert.deepEqual(opened, names)
  await store.close()
})

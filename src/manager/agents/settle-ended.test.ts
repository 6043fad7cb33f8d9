import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { newId } from '#lib/id.ts'
import { silentLogger } from '#lib/logger.ts'
import { requestDeployment } from '#manager/deployments/request.ts'
import { addApp, openTestStore } from '#manager/deployments/test-store.ts'
import type { AgentConnection } from './connection.ts'
import { settleEnded } from './settle-ended.ts'

test('M23 an agent may forget an ended command whose acknowledgement got lost, ends what waits or works for nobody, and no other', async () => {
  const store = await openTestStore()
  const appId = await addApp(store, 'shop')
  const trigger = { kind: 'api', by: 'test' } as const
  const { id: deployment } = await requestDeployment(store, { appId, kind: 'deploy', trigger })
  const [stored, told, followed, running, direct] = [newId(), newId(), newId(), newId(), newId()]
  const [orphan, toldOrphan, givenUp, toldRunning] = [newId(), newId(), newId(), newId()]
  await store.db.updateTable('deployments').set({ state: 'running' }).execute()
  for (const [id, state] of [
    [stored, 'succeeded'],
    [told, 'told'],
    [toldOrphan, 'told'],
    [givenUp, 'failed'],
    [toldRunning, 'told'],
  ] as const) {
    const row = { deployment_id: deployment, step: 'build', key: id, command: 'image.build', host: 'test' }
    await store.db
      .insertInto('commands')
      .values({ ...row, id, state, created_at: 1, seq: 0 })
      .execute()
  }
  const acknowledged: unknown[] = []
  let changed = () => {}
  const all = [stored, told, followed, direct].map(id => ({ id, seq: 3, state: 'succeeded' }))
  const link = {
    agent: {
      running: [
        ...all,
        { id: running, seq: 3, state: 'running' },
        { id: orphan, seq: 3, state: 'orphaned' },
        { id: toldOrphan, seq: 3, state: 'orphaned' },
        { id: toldRunning, seq: 3, state: 'running' },
        { id: givenUp, seq: 3, state: 'running' },
      ],
    },
    send: (command: string, data: unknown) => acknowledged.push([command, data]),
  }
  const connection = {
    name: 'test',
    onChange: (run: () => void) => {
      changed = run
    },
    state: () => ({ status: 'connected' }),
    link: async () => link,
    followed: { listener: (id: string) => (id === followed ? () => {} : undefined) },
  }
  settleEnded(connection as unknown as AgentConnection, { db: store.db, logger: silentLogger })
  changed()
  while (acknowledged.length < 4) {
    await nextTurn()
  }
  assert.deepEqual(acknowledged, [
    ['ack', { id: stored, seq: 3 }],
    ['ack', { id: direct, seq: 3 }],
    ['cancel', { id: orphan }],
    ['cancel', { id: givenUp }],
  ])
  acknowledged.length = 0
  await store.db.updateTable('deployments').set({ state: 'cancelled' }).execute()
  changed()
  while (acknowledged.length < 7) {
    await nextTurn()
  }
  assert.deepEqual(acknowledged.slice(-3), [
    ['cancel', { id: toldOrphan }],
    ['cancel', { id: toldRunning }],
    ['cancel', { id: givenUp }],
  ])
  await store.close()
})

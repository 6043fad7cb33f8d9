import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger } from '#lib/logger.ts'
import { anIdentity } from '#link/test-identities.ts'
import { openTestStore } from '#manager/deployments/test-store.ts'
import { ChangedKey } from './changed-key.ts'

test('R75 a host that was shut out does not keep the earlier key of the manager, which it never hears of again', async t => {
  await using stack = new AsyncDisposableStack()
  const store = stack.adopt(await openTestStore(), open => open.close())
  const [present, earlier] = [anIdentity(t, 'manager'), anIdentity(t, 'manager')]
  const host = { role: 'worker', address: 'x:1', identity: '{"keyId":"0"}', created_at: 1 } as const
  await store.db
    .insertInto('hosts')
    .values([
      { ...host, name: 'lost', revoked_at: 7 },
      { ...host, name: 'box' },
    ])
    .execute()
  let forgotten = 0
  const forget = () => {
    forgotten += 1
  }
  const key = new ChangedKey({ db: store.db, logger: silentLogger, present, earlier, forget })
  await key.settle()
  assert.equal(forgotten, 0, 'the other one has still to learn it')
  await key.of({ name: 'box', manager_key: null })?.learnt()
  assert.equal(forgotten, 1)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pin } from '#link/public-identity.ts'
import { openTestStore } from '#manager/deployments/test-store.ts'
import { keepPin } from './keep-pin.ts'

test('R76 what a host says of its key is kept, but never in the place of another machine or of one that is shut out', async () => {
  const store = await openTestStore()
  const { db } = store
  const pinOf = (keyId: string) => ({ keyId }) as unknown as Pin
  const row = { name: 'box', role: 'worker', address: 'x:1', created_at: 1 } as const
  await db
    .insertInto('hosts')
    .values({ ...row, identity: '{"keyId":"a"}' })
    .execute()
  const kept = async () =>
    JSON.parse((await db.selectFrom('hosts').select('identity').executeTakeFirstOrThrow()).identity).keyId
  await keepPin(store, { host: 'box', pin: pinOf('b'), successor: undefined, replaced: 'a' })
  assert.equal(await kept(), 'b')
  // Another machine has joined under the name since; the old connection still speaks.
  await db.updateTable('hosts').set({ identity: '{"keyId":"new"}' }).execute()
  await keepPin(store, { host: 'box', pin: pinOf('c'), successor: undefined, replaced: 'b' })
  assert.equal(await kept(), 'new')
  await db.updateTable('hosts').set({ identity: '{"keyId":"c"}', revoked_at: 7 }).execute()
  await keepPin(store, { host: 'box', pin: pinOf('d'), successor: undefined, replaced: 'c' })
  assert.equal(await kept(), 'c')
  const gone = await db.selectFrom('revoked_keys').select('key_id').orderBy('key_id').execute()
  assert.deepEqual(
    gone.map(each => each.key_id),
    ['a', 'b', 'c'],
  )
  await store.close()
})

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '#lib/id.ts'
import { openTestStore, type TestStore } from '#manager/deployments/test-store.ts'
import { createSealer } from '#manager/secrets/seal.ts'
import { backupPlace } from './backup-place.ts'
import { type BackupRow, forgetBackup, readBackup } from './backups.ts'
import { requestCopy } from './copy-backup.ts'
import { listProfiles, readProfile, removeProfile, setProfile } from './profiles.ts'

const sealer = createSealer(Buffer.alloc(32, 1))
let store: TestStore

before(async () => {
  store = await openTestStore()
  const host = { role: 'worker', address: '127.0.0.1:1', identity: '{}', created_at: 1 } as const
  await store.db
    .insertInto('hosts')
    .values([
      { ...host, name: 'near' },
      { ...host, name: 'far' },
    ])
    .execute()
})
after(() => store.close())

test('R73 a copy of a backup has its key and its owner, and is asked for once however often', async () => {
  const parts = { ...store, sealer }
  const of = await aBackup({ state: 'kept', bytes: 5, sha256: 'a'.repeat(64) })
  const copy = await requestCopy(parts, of, { host: 'far', by: 'ada' })
  assert.deepEqual(
    [copy.host, copy.owner, copy.copy_of, copy.state, copy.recipient],
    ['far', of.owner, of.id, 'making', of.recipient],
  )
  assert.equal(sealer.open(copy.identity_sealed, backupPlace(copy.id)), 'the key')
  assert.equal((await requestCopy(parts, of, { host: 'far', by: 'ada' })).id, copy.id)
  assert.equal((await requestCopy(parts, of, { host: 'near', by: 'ada' })).id, of.id)
  await assert.rejects(requestCopy(parts, of, { host: 'nowhere', by: 'ada' }), { code: 'HOST_UNKNOWN' })
  await forgetBackup(store.db, copy.id)
  assert.notEqual((await requestCopy(parts, of, { host: 'far', by: 'ada' })).id, copy.id)
  const failed = await aBackup({ state: 'failed' })
  await assert.rejects(requestCopy(parts, failed, { host: 'far', by: 'ada' }), { code: 'BACKUP_NOT_USABLE' })
})

test('R71 profiles always have an SSH server, and there is always one', async () => {
  const { db } = store
  assert.deepEqual(await listProfiles(db), [{ name: 'default', packages: ['openssh-server'] }])
  await setProfile(store, { name: 'web', packages: ['nginx', 'git'] })
  await setProfile(store, { name: 'web', packages: ['nginx'] })
  assert.deepEqual((await readProfile(db, 'web')).packages, ['openssh-server', 'nginx'])
  await setProfile(store, { name: 'default', packages: ['git'] })
  assert.deepEqual((await readProfile(db)).packages, ['openssh-server', 'git'])
  await removeProfile(db, 'default')
  assert.deepEqual((await readProfile(db)).packages, ['openssh-server'])
  await assert.rejects(removeProfile(db, 'other'), { code: 'PROFILE_NOT_FOUND', message: /default, web/ })
})

async function aBackup(facts: Partial<BackupRow>): Promise<BackupRow> {
  const id = newId()
  await store.db
    .insertInto('system_backups')
    .values({
      ...{ id, app_id: newId(), system: 'ada', owner: 'p1', host: 'near', settings: '{}', state: 'making' },
      ...{ is_scheduled: 0, attempts: 0, recipient: 'age1x', asked_by: 'ada', created_at: 1 },
      identity_sealed: sealer.seal('the key', backupPlace(id)),
      ...facts,
    })
    .execute()
  return await readBackup(store.db, id, undefined)
}

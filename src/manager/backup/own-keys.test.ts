import { equal, rejects } from 'node:assert/strict'
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/logger.ts'
import { loadOrCreateIdentity } from '#link/identity.ts'
import { shareFiles, unshareFiles } from '#manager/leadership/shared-files.ts'
import { addKey, openSealer } from '#manager/secrets/key-file.ts'
import { openStore } from '#manager/store/database.ts'
import { createBackup } from './create-backup.ts'

const parts = { clock: systemClock, logger: silentLogger }

test('X05 no backup pairs a database with the keys of another time: those of a manager that stood by while they changed', async t => {
  const data = mkdtempSync(join(tmpdir(), 'fairlead-own-keys-'))
  t.after(() => rmSync(data, { recursive: true }))
  const file = join(data, 'one.age')
  const recipient = await identityToRecipient(await generateX25519Identity())
  const create = () =>
    createBackup(
      data,
      { do: 'create', to: file, recipients: [recipient], logs: true },
      {
        ...{ clock: systemClock, database: undefined },
      },
    )
  const store = await openStore(data, Date.now)
  t.after(() => store.close())
  const keyFile = join(data, 'secret.key')
  const identity = {
    folder: join(data, 'identity'),
    clock: systemClock,
    name: 'manager',
    role: 'manager',
  } as const
  loadOrCreateIdentity(identity)
  const { db } = store

  await openSealer(db, keyFile)
  renameSync(keyFile, `${keyFile}.own`)
  addKey(keyFile)
  await rejects(create(), { code: 'BACKUP_KEYS_OTHER', message: /secret\.key is not/ })
  equal(existsSync(file), false)
  renameSync(`${keyFile}.own`, keyFile)
  // A new key is there beside the old one until the manager is started again.
  addKey(keyFile)
  await create()
  rmSync(file)

  const sealer = await openSealer(db, keyFile)
  ;(await shareFiles({ ...parts, db, sealer, data })).close()
  renameSync(identity.folder, `${identity.folder}.shared`)
  loadOrCreateIdentity(identity)
  await rejects(create(), { code: 'BACKUP_KEYS_OTHER', message: /identity\.json is not/ })
  equal(existsSync(file), false)
  await unshareFiles(db)
  await create()
  rmSync(file)
  ;(await shareFiles({ ...parts, db, sealer, data })).close()
  await create()
})

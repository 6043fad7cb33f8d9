import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/logger.ts'
import { forgetEarlier, prepareIdentity, takeIdentity } from '#link/changed-identity.ts'
import { loadIdentity } from '#link/identity.ts'
import { createAudit } from '#manager/audit/audit.ts'
import { openSealer } from '#manager/secrets/key-file.ts'
import type { Sealer } from '#manager/secrets/seal.ts'
import type { Store } from '#manager/store/database.ts'
import { leaveTestDatabase, openTestDatabase } from '#manager/store/test-database.ts'
import { sharedFilePlace } from './sealed-places.ts'
import { keepAuditHead, shareFiles, takeSharedFiles } from './shared-files.ts'

let folder = ''
let store: Store
let sealer: Sealer
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fairlead-shared-'))
  store = await openTestDatabase(folder, () => 1)
  sealer = await openSealer(store.db, join(folder, 'secret.key'))
})
after(async () => {
  await store.close()
  leaveTestDatabase(folder)
  rmSync(folder, { recursive: true })
})

const dataOf = (name: string) => join(folder, name)
const placeOf = (name: string) =>
  ({ folder: join(dataOf(name), 'identity'), clock: systemClock, name: 'manager', role: 'manager' }) as const
const keyOf = (name: string) => loadIdentity(placeOf(name)).keyId
const take = (name: string) => takeSharedFiles({ db: store.db, sealer, data: dataOf(name) })
async function share(name: string): Promise<void> {
  const parts = { db: store.db, clock: systemClock, sealer, logger: silentLogger, data: dataOf(name) }
  ;(await shareFiles(parts)).close()
}

test('the next leader has the identity of the one before, also while hosts learn a new key of it', async () => {
  takeIdentity(placeOf('one'))
  await take('one')
  await share('one')
  takeIdentity(placeOf('other'))
  await take('other')
  assert.equal(keyOf('other'), keyOf('one'))

  const next = prepareIdentity(placeOf('one'))
  await share('one')
  await take('other')
  const { earlier } = takeIdentity(placeOf('other'))
  assert.deepEqual([keyOf('other'), earlier?.keyId], [next, keyOf('one')])
  await share('other')
  await take('one')
  assert.equal(keyOf('one'), next)
  assert.equal(takeIdentity(placeOf('one')).earlier?.keyId, earlier?.keyId)

  forgetEarlier(placeOf('one'))
  await share('one')
  await take('other')
  assert.deepEqual([keyOf('other'), takeIdentity(placeOf('other')).earlier], [next, undefined])
})

test('a key that was made while its manager was stopped is still the next one', async () => {
  const next = prepareIdentity(placeOf('one'))
  await take('one')
  takeIdentity(placeOf('one'))
  assert.equal(keyOf('one'), next)
})

test('what is in the database is sealed, and never believed when it is older or from nobody who may', async () => {
  const rows = await store.db.selectFrom('shared_files').selectAll().execute()
  assert.ok(rows.length > 0 && rows.every(({ content_sealed: text }) => !text.includes('PRIVATE')))
  const head = (name: string) => {
    mkdirSync(dataOf(name), { recursive: true })
    return join(dataOf(name), 'audit-head')
  }
  const sealed = (seq: number) =>
    sealer.seal(sealer.seal(JSON.stringify({ seq, hash: 'h' }), 'audit/head'), sharedFilePlace('audit-head'))
  const at = { sealer, data: dataOf('third') }
  const file = head('third')
  keepAuditHead(undefined, at)
  assert.ok(!existsSync(file))
  keepAuditHead(sealed(5), at)
  const known = readFileSync(file, 'utf8')
  keepAuditHead(sealed(4), at)
  assert.equal(readFileSync(file, 'utf8'), known)
  keepAuditHead(sealed(6), at)
  assert.notEqual(readFileSync(file, 'utf8'), known)
  assert.throws(() => keepAuditHead('v1.forged', at))
  writeFileSync(file, 'of nobody')
  keepAuditHead(sealed(6), at)
  assert.notEqual(readFileSync(file, 'utf8'), 'of nobody')
})

test('the head that a leader has written down is what another one finds', async () => {
  const config = { data: dataOf('one') }
  const audit = createAudit({ db: store.db, clock: systemClock, logger: silentLogger, sealer, config })
  const line = { request: 'r', who: 'w', address: 'a', action: 'x', target: 't', result: 'done' } as const
  await audit.add({ ...line, plan_hash: null, details: null, status: null })
  audit.close()
  await share('one')
  await take('other')
  assert.equal(
    readFileSync(join(dataOf('other'), 'audit-head'), 'utf8'),
    readFileSync(join(dataOf('one'), 'audit-head'), 'utf8'),
  )
})

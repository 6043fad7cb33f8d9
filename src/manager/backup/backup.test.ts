import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import type { BackupFacts, RestoredFacts } from '#contract/backup.ts'
import { systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/logger.ts'
import { prepareIdentity, takeIdentity } from '#link/changed-identity.ts'
import { loadOrCreateIdentity } from '#link/identity.ts'
import { createAudit, verifyAudit } from '#manager/audit/audit.ts'
import { createToken, findSpeaker } from '#manager/people/tokens.ts'
import { openSealer } from '#manager/secrets/key-file.ts'
import { openStore, type Store } from '#manager/store/database.ts'
import { nextEpoch } from '#manager/store/epoch.ts'
import { runBackup } from './run-backup.ts'
import { aPerson, waysIn } from './test-people.ts'

const PASSPHRASE = 'four random words here'
const parts = { clock: systemClock, logger: silentLogger, database: undefined }
let folder = ''
let data = ''
let file = ''
let key = { identity: '', recipient: '' }

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fairlead-backup-'))
  data = join(folder, 'manager')
  file = join(folder, 'one.age')
  key = (await run({ do: 'key' })) as typeof key
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('X05 a backup of a running manager holds its data, keys and logs, and nothing of it is readable', async () => {
  const { store, token } = await aManager()
  mkdirSync(join(data, 'logs/long'), { recursive: true })
  writeFileSync(join(data, 'logs/a.jsonl'), 'a line that was logged')
  writeFileSync(join(data, 'logs/long/2.jsonl'), '')
  const made = await create()
  equal(made.files, 6)
  equal(made.bytes, readFileSync(file).length)
  ok(!readFileSync(file).includes('a line that was logged'))
  ok(!existsSync(join(data, 'backup-snapshot')))
  deepEqual(readdirSync(folder).sort(), ['manager', 'one.age'])
  await store.close()
  deepEqual(await run({ do: 'verify', from: file, opening: { identities: [key.identity] } }), made)
  away()
  await restore({ nothingRevoked: true })
  equal(readFileSync(join(data, 'logs/a.jsonl'), 'utf8'), 'a line that was logged')
  const restored = await openStore(data, Date.now)
  equal((await findSpeaker({ db: restored.db, clock: systemClock }, token))?.name, 'old')
  await restored.close()
})

test('X05 a backup that is made while hosts learn a new key of the manager has the one before as well', async () => {
  const { store } = await aManager()
  const who = { clock: systemClock, name: 'manager', role: 'manager' } as const
  const place = { ...who, folder: join(data, 'identity') }
  prepareIdentity(place)
  const { present, earlier } = takeIdentity(place)
  await create()
  await store.close()
  away()
  await restore({ nothingRevoked: true })
  const restored = takeIdentity(place)
  deepEqual([restored.present.keyId, restored.earlier?.keyId], [present.keyId, earlier?.keyId])
  ok(earlier)
})

test('P02 a backup with one changed byte, or without its end, is refused, and so is the wrong key', async () => {
  const { store } = await aManager()
  await create()
  await store.close()
  away()
  const whole = readFileSync(file)
  for (const at of [whole.length - 1, whole.length - 40, 30]) {
    const damaged = Buffer.from(whole)
    damaged[at] = (damaged[at] ?? 0) ^ 1
    writeFileSync(file, damaged)
    await rejects(restore({ nothingRevoked: true }), { code: /^BACKUP_(?:DAMAGED|NOT_OPENED)$/ })
  }
  writeFileSync(file, whole.subarray(0, whole.length - 100))
  await rejects(restore({ nothingRevoked: true }), { code: 'BACKUP_DAMAGED' })
  writeFileSync(file, whole)
  const other = (await run({ do: 'key' })) as typeof key
  const opening = { identities: [other.identity] }
  await rejects(run({ do: 'verify', from: file, opening }), { code: 'BACKUP_NOT_OPENED' })
  equal(existsSync(data), false)
  deepEqual(readdirSync(folder).sort(), ['manager.old', 'one.age'])
})

test('a passphrase opens what it has sealed, and nothing is written over', async () => {
  const { store } = await aManager()
  const request = { do: 'create', to: file, recipients: [], passphrase: PASSPHRASE, logs: false }
  await run(request)
  await rejects(run(request), { code: 'BACKUP_EXISTS' })
  await rejects(run({ ...request, to: `${file}2`, recipients: [key.recipient] }), {
    code: 'BACKUP_KEY_INVALID',
  })
  const elsewhere = { do: 'create', to: join(folder, 'none/b.age'), recipients: [key.recipient], logs: false }
  await rejects(run(elsewhere), { code: 'BACKUP_NOT_WRITTEN' })
  await store.close()
  const opening = { identities: [], passphrase: PASSPHRASE }
  equal(((await run({ do: 'verify', from: file, opening })) as BackupFacts).files, 4)
})

test('the keys for another manager open with their passphrase, and are taken by who has none', async () => {
  const { store } = await aManager()
  const request = { do: 'export', to: file, recipients: [], passphrase: PASSPHRASE }
  const made = (await run(request)) as BackupFacts
  deepEqual([made.files, existsSync(join(data, 'backup-snapshot'))], [3, false])
  const opening = { identities: [], passphrase: PASSPHRASE }
  const take = { do: 'import', from: file, opening }
  await rejects(run(take), { code: 'RESTORE_LIVE' })
  await store.close()
  await rejects(run(take), { code: 'KEYS_THERE' })
  const names = ['secret.key', 'identity/identity.json', 'identity/tls.json']
  const before = names.map(name => readFileSync(join(data, name), 'utf8'))
  away()
  mkdirSync(data)
  await rejects(run({ ...take, opening: { identities: [], passphrase: 'another' } }), {
    code: 'BACKUP_NOT_OPENED',
  })
  await rejects(run({ do: 'restore', from: file, opening, nothingRevoked: true, hosts: [] }), {
    code: 'BACKUP_DAMAGED',
  })
  deepEqual(readdirSync(data), [])
  equal(((await run(take)) as BackupFacts).key_id, made.key_id)
  deepEqual(
    names.map(name => readFileSync(join(data, name), 'utf8')),
    before,
  )
  deepEqual(readdirSync(data).sort(), ['identity', 'secret.key'])
})

test('a backup is no file of keys, and a folder without keys has none to give', async () => {
  const { store } = await aManager()
  await create()
  await store.close()
  away()
  mkdirSync(data)
  const opening = { identities: [key.identity] }
  await rejects(run({ do: 'import', from: file, opening }), { code: 'KEYS_NOT_IN_THERE' })
  await rejects(run({ do: 'export', to: `${file}2`, recipients: [key.recipient] }), {
    code: 'KEYS_NOTHING_HERE',
  })
  deepEqual(readdirSync(data), [])
})

test('X05 nothing is restored over a running manager, nor over what one has left', async () => {
  const { store } = await aManager()
  await create()
  await rejects(restore({ nothingRevoked: true }), { code: 'RESTORE_LIVE' })
  await store.close()
  await rejects(restore({ nothingRevoked: true }), { code: 'RESTORE_NOT_EMPTY' })
  await rejects(restore({ nothingRevoked: true, since: data }), { code: 'RESTORE_CONTRADICTS' })
  away()
  mkdirSync(join(folder, 'restoring-of-one-that-was-killed'))
  writeFileSync(join(folder, 'restoring-of-one-that-was-killed.lock'), '')
  await rejects(restore({ nothingRevoked: true, keyId: '0'.repeat(64) }), { code: 'BACKUP_OF_ANOTHER' })
  mkdirSync(data)
  await restore({ nothingRevoked: true })
  deepEqual(readdirSync(folder).sort(), ['manager', 'manager.old', 'one.age'])
})

test('X05 a restore begun beside another one is refused, and takes nothing of that one away', async () => {
  const { store } = await aManager()
  await create()
  await store.close()
  away()
  const both = await Promise.allSettled([
    restore({ nothingRevoked: true }),
    restore({ nothingRevoked: true }),
  ])
  const refused = both.flatMap(each => (each.status === 'rejected' ? [each.reason.code] : []))
  deepEqual(refused, ['RESTORE_UNDER_WAY'])
  deepEqual(readdirSync(folder).sort(), ['manager', 'manager.old', 'one.age'])
})

test('X05 the epoch is higher than any before, what was under way has ended, and the audit log is whole', async () => {
  const { store } = await aManager()
  await aDeployment(store)
  await create()
  for (const _ of [1, 2, 3]) {
    await nextEpoch(store.db)
  }
  await store.db.updateTable('meta').set({ value: '9000000000000' }).where('key', '=', 'epoch').execute()
  await store.close()
  away()
  const second = Math.floor(Date.now() / 1000)
  const restored = await restore({ nothingRevoked: true })
  ok(restored.epoch > second)
  equal(restored.ended_deployments, 1)
  equal(restored.token, null)
  await withRestored(async ({ db }) => {
    const row = await db.selectFrom('deployments').selectAll().executeTakeFirstOrThrow()
    equal(row.state, 'failed')
    match(row.error ?? '', /DEPLOYMENT_BEFORE_RESTORE/)
    const sealer = await openSealer(db, join(data, 'secret.key'))
    equal((await verifyAudit({ db, sealer, config: { data } })).problem, null)
    ok((await nextEpoch(db)) > restored.epoch)
  })
  rmSync(data, { recursive: true })
  ok((await restore({ since: join(folder, 'manager.old') })).epoch > 9_000_000_000_000)
})

test('X05 with the folder of the lost manager, what it revoked stays revoked and the rest goes on', async () => {
  const { store, token } = await aManager()
  const { db } = store
  const revoked = await createToken({ db, clock: systemClock }, wanted('revoked'))
  await aHost(store, 'stays', 'a'.repeat(64))
  await aHost(store, 'gone', 'b'.repeat(64))
  await aPerson(store, 'ada', null)
  await create()
  await db.deleteFrom('tokens').where('id', '=', revoked.id).execute()
  await db.updateTable('tokens').set({ role: 'viewer' }).where('name', '=', 'old').execute()
  await db.deleteFrom('hosts').where('name', '=', 'gone').execute()
  await db
    .insertInto('revoked_keys')
    .values({ key_id: 'b'.repeat(64), name: 'gone', revoked_at: 2 })
    .execute()
  await db.updateTable('people').set({ disabled_at: 5 }).execute()
  await store.close()
  away()
  const restored = await restore({ since: join(folder, 'manager.old') })
  equal(restored.shut_out.tokens, 1)
  equal(restored.shut_out.hosts, 1)
  await withRestored(async ({ db: now }) => {
    const context = { db: now, clock: systemClock }
    equal(await findSpeaker(context, revoked.token), undefined)
    equal((await findSpeaker(context, token))?.role, 'viewer')
    deepEqual(await names(now, 'hosts'), ['stays'])
    deepEqual(await names(now, 'revoked_keys'), ['gone'])
    equal((await now.selectFrom('people').select('disabled_at').executeTakeFirst())?.disabled_at, 5)
  })
})

test('X05 where nobody knows what was revoked, nothing of the backup lets in but one new token and the hosts named', async () => {
  const { store, token } = await aManager()
  await aHost(store, 'named', 'a'.repeat(64))
  await aHost(store, 'other', 'b'.repeat(64))
  await aPerson(store, 'ada', 'hash')
  await waysIn(store, 'ada')
  await create()
  await store.close()
  away()
  await rejects(restore({ hosts: ['nobody'] }), { code: 'RESTORE_HOST_UNKNOWN' })
  const restored = await restore({ hosts: ['named'] })
  await withRestored(async ({ db }) => {
    const context = { db, clock: systemClock }
    equal(await findSpeaker(context, token), undefined)
    equal((await findSpeaker(context, restored.token ?? ''))?.role, 'admin')
    deepEqual(await names(db, 'hosts'), ['named'])
    const person = await db.selectFrom('people').selectAll().executeTakeFirstOrThrow()
    ok(person.disabled_at !== null && person.invitation_hash === null)
    // Whoever unlocks the account lets in nobody who had been shut out of it.
    const { password, totp_sealed, totp_at, recovery } = person
    deepEqual(
      { password, totp_sealed, totp_at, recovery },
      { password: null, totp_sealed: null, totp_at: null, recovery: null },
    )
    for (const table of ['passkeys', 'provider_accounts', 'ssh_keys'] as const) {
      deepEqual(await db.selectFrom(table).selectAll().execute(), [], table)
    }
    const { passkeys, 'sign-ins elsewhere': elsewhere, 'SSH keys': sshKeys } = restored.shut_out
    deepEqual([passkeys, elsewhere, sshKeys], [1, 1, 1])
    const join_ = await db.selectFrom('join_tokens').select('revoked_at').executeTakeFirstOrThrow()
    ok(join_.revoked_at !== null)
  })
})

test('X05 an old manager whose key was exchanged since can be read, and the backup of a newer program is refused', async () => {
  const { store } = await aManager()
  await create()
  await store.close()
  const old = away()
  copyFileSync(join(old, 'secret.key'), join(old, 'secret.key.of-then'))
  writeFileSync(join(old, 'secret.key'), `${Buffer.alloc(32, 7).toString('base64')}\n`)
  await restore({ since: old })
  await withRestored(async ({ db }) => {
    await openSealer(db, join(data, 'secret.key'))
  })
  await rejects(restore({ since: join(folder, 'nowhere') }), { code: 'RESTORE_NOT_EMPTY' })
  rmSync(data, { recursive: true })
  await rejects(restore({ since: join(folder, 'nowhere') }), { code: 'RESTORE_SINCE_UNREADABLE' })
  copyFileSync(join(old, 'secret.key.of-then'), join(old, 'secret.key'))
  const newer = await openStore(old, Date.now)
  await newer.db
    .insertInto('migrations' as never)
    .values({ name: '9999-later', applied_at: 1 } as never)
    .execute()
  await newer.close()
  rmSync(file)
  await run({ do: 'create', to: file, recipients: [key.recipient], logs: true }, old)
  await rejects(restore({ nothingRevoked: true }), { code: 'STORE_NEWER' })
  equal(existsSync(data), false)
})

async function run(request: object, of = data) {
  return await runBackup(of, JSON.stringify(request), parts)
}

async function create(): Promise<BackupFacts> {
  return (await run({ do: 'create', to: file, recipients: [key.recipient], logs: true })) as BackupFacts
}

async function restore(how: object): Promise<RestoredFacts> {
  const opening = { identities: [key.identity] }
  const request = { do: 'restore', from: file, opening, nothingRevoked: false, hosts: [], ...how }
  return (await run(request)) as RestoredFacts
}

async function aManager(): Promise<{ store: Store; token: string }> {
  const store = await openStore(data, Date.now)
  const sealer = await openSealer(store.db, join(data, 'secret.key'))
  loadOrCreateIdentity({
    folder: join(data, 'identity'),
    clock: systemClock,
    name: 'manager',
    role: 'manager',
  })
  await nextEpoch(store.db)
  const { token } = await createToken({ db: store.db, clock: systemClock }, wanted('old'))
  const audit = createAudit({ ...parts, db: store.db, sealer, config: { data } })
  const line = { request: 'r', who: 'old', address: '::1', action: 'POST /apps', target: 'x' }
  await audit.add({ ...line, plan_hash: null, details: null, result: 'done', status: 201 })
  audit.close()
  const invited = { id: 'j', networks: '[]', created_by: 'old', created_at: 1, expires_at: 9e12 }
  const secret_sealed = sealer.seal('s', 'join_tokens/j/secret')
  const row = { ...invited, secret_sealed, role: 'worker' } as const
  await store.db.insertInto('join_tokens').values(row).execute()
  return { store, token }
}

function wanted(name: string) {
  const none = { expiresAt: null, trusts: null, personId: null, projectId: null, scopes: null }
  return { ...none, name, role: 'admin' } as const
}

async function aHost({ db }: Store, name: string, keyId: string): Promise<void> {
  const row = { name, role: 'worker', address: '127.0.0.1:1', identity: JSON.stringify({ keyId }) } as const
  await db
    .insertInto('hosts')
    .values({ ...row, created_at: 1, observed_at: null, engines: null, unseen: null })
    .execute()
}

async function aDeployment({ db }: Store): Promise<void> {
  const app = { id: 'a', name: 'a', entry: 'a', target: 'compose', overrides: '{}', host: 'h', version: 1 }
  await db
    .insertInto('apps')
    .values({ ...app, created_at: 1, updated_at: 1 })
    .execute()
  const row = {
    id: 'd',
    app_id: 'a',
    kind: 'deploy',
    state: 'running',
    trigger: '{}',
    cancel_requested: 0,
  } as const
  await db
    .insertInto('deployments')
    .values({ ...row, created_at: 1 })
    .execute()
}

async function names(db: Store['db'], table: 'hosts' | 'revoked_keys'): Promise<string[]> {
  return (await db.selectFrom(table).select('name').execute()).map(({ name }) => name)
}

/** Moves the manager's folder away, as somebody who restores does. */
function away(): string {
  renameSync(data, `${data}.old`)
  return `${data}.old`
}

async function withRestored(look: (store: Store) => Promise<void>): Promise<void> {
  const store = await openStore(data, Date.now)
  try {
    await look(store)
  } finally {
    await store.close()
  }
}

import assert from 'node:assert/strict'
import { readdir, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { sql } from 'kysely'
import type { BackupFacts, BackupRequest } from '#contract/backup.ts'
import { systemClock } from '#lib/clock.ts'
import { newId } from '#lib/id.ts'
import { loadOrCreateIdentity } from '#link/identity.ts'
import { takeLead } from '#manager/leadership/lead.ts'
import { openSealer } from '#manager/secrets/key-file.ts'
import { openStore, type ServerAddress } from '#manager/store/database.ts'
import { nextEpoch } from '#manager/store/epoch.ts'
import {
  STORE_FOREIGN,
  STORE_IN_USE,
  STORE_NEWER,
  STORE_REFUSED,
  STORE_UNAVAILABLE,
  STORE_UNFINISHED,
} from '#manager/store/errors.ts'
import { LeaderWatch } from '#manager/store/leader-watch.ts'
import { MIGRATIONS } from '#manager/store/migrations/index.ts'
import { type PostgresAddress, placeOf } from '#manager/store/postgres-address.ts'
import { connect } from '#manager/store/postgres-session.ts'
import { SOON } from '#manager/store/soon.ts'
import { isConstraintViolation, isStoreTrouble } from '#manager/store/store-error.ts'
import { newTestDatabase } from '#manager/store/test-database.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { fairlead, fairleadWith, killedBackup } from './world/backups.ts'
import { type PostgresServer, startPostgresServer, WITHOUT_POSTGRES } from './world/postgres-server.ts'
import { temporaryFolder } from './world/temporary-folder.ts'
import { until } from './world/traces.ts'

const APP = {
  name: 'app',
  entry: 'app',
  target: 'container',
  overrides: '{}',
  host: 'h',
  created_at: 1,
  updated_at: 1,
  version: 1,
}

describe('a store in PostgreSQL', { skip: WITHOUT_POSTGRES }, () => {
  const stack = new AsyncDisposableStack()
  let server: PostgresServer
  let folder = ''
  let folders = 0
  let template: PostgresAddress
  before(async () => {
    server = await startPostgresServer(stack)
    folder = await temporaryFolder(stack)
  })
  after(() => stack.disposeAsync())

  /** A manager of its own machine: only the database is shared. */
  async function open(address: ServerAddress) {
    folders += 1
    const store = await openStore(join(folder, String(folders)), () => 1, address)
    return { ...store, [Symbol.asyncDispose]: () => store.close() }
  }
  /** Migrated, and used by nobody. */
  const fresh = () => newTestDatabase(server.url, template)
  type Opened = Awaited<ReturnType<typeof open>>
  const put = (db: Opened['db'], key: string, value = key) => db.insertInto('meta').values({ key, value })
  const keys = async (db: Opened['db']) =>
    (await db.selectFrom('meta').select('key').orderBy('key').execute()).map(row => row.key)

  test('is migrated in an empty database, keeps its rows and survives a reopening', async () => {
    template = await newTestDatabase(server.url)
    {
      await using first = await open(template)
      assert.deepEqual(
        first.migrated,
        MIGRATIONS.map(({ name }) => name),
      )
      await put(first.db, 'kept').execute()
      assert.equal(await nextEpoch(first.db), 1)
    }
    await using second = await open(template)
    assert.deepEqual(second.migrated, [])
    assert.deepEqual(await keys(second.db), ['epoch', 'kept'])
    assert.equal(await nextEpoch(second.db), 2)
    await second.db.deleteFrom('meta').execute()
  })

  test('serves one manager: a second one on another machine is refused until the first ends', async () => {
    const address = await fresh()
    const first = await open(address)
    await assert.rejects(open(address), STORE_IN_USE.matches)
    await first.close()
    await (await open(address)).close()
  })

  test('refuses the database of another program, of a newer Fairlead, and one that is not there', async () => {
    const theirs = await fresh()
    {
      await using store = await open(theirs)
      await sql`comment on table migrations is null`.execute(store.db)
    }
    await assert.rejects(open(theirs), STORE_FOREIGN.matches)
    const newer = await fresh()
    {
      await using store = await open(newer)
      await sql`insert into migrations values ('9999-future', 1)`.execute(store.db)
    }
    await assert.rejects(open(newer), STORE_NEWER.matches)
    await assert.rejects(open({ ...newer, database: 'nowhere' }), STORE_REFUSED.matches)
  })

  test('means by numbers, truths, letters and order what SQLite means', async () => {
    await using store = await open(await fresh())
    const { db } = store
    for (const key of ['b', 'B', 'a', 'ä', 'a-', 'aa']) {
      await put(db, key, 'Some Text').execute()
    }
    assert.deepEqual(await keys(db), ['B', 'a', 'a-', 'aa', 'b', 'ä'])
    const found = (pattern: string) =>
      db.selectFrom('meta').select('key').where('value', 'like', pattern).execute()
    assert.deepEqual([(await found('some%')).length, (await found('%\\%')).length], [6, 0])
    const row = await db
      .selectFrom('meta')
      .select(({ fn, exists, selectFrom }) => [
        fn.countAll<number>().as('count'),
        fn.max<string>('key').as('last'),
        exists(selectFrom('apps').select('id')).as('any'),
      ])
      .where('key', 'is', 'a' as never)
      .executeTakeFirst()
    assert.deepEqual({ ...row }, { count: 1, last: 'a', any: 0 })
    const among = (operator: 'in' | 'not in', list: readonly string[]) =>
      db.selectFrom('meta').select('key').where('key', operator, list).execute()
    const counts = [among('in', []), among('not in', []), among('in', ['a']), among('not in', ['a'])]
    assert.deepEqual(
      (await Promise.all(counts)).map(({ length }) => length),
      [0, 6, 1, 5],
    )
    const at = 1_900_000_000_000
    await db.insertInto('signed_calls').values({ id: 'x', received_at: at }).execute()
    assert.equal((await db.selectFrom('signed_calls').selectAll().executeTakeFirst())?.received_at, at)
    const { numUpdatedRows } = await db.updateTable('meta').set({ value: '' }).executeTakeFirstOrThrow()
    assert.equal(numUpdatedRows, 6n)
  })

  test('says what is refused in the same words, and undoes only what failed', async () => {
    await using store = await open(await fresh())
    const { db } = store
    await put(db, 'one').execute()
    await assert.rejects(put(db, 'one').execute(), isConstraintViolation)
    await assert.rejects(
      db.insertInto('domains').values({ host: 'h', app_id: newId() }).execute(),
      isConstraintViolation,
    )
    const results = await Promise.allSettled(
      ['two', 'one', 'three'].map(key => inTransaction(db, inside => put(inside, key).execute())),
    )
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
    assert.deepEqual(await keys(db), ['one', 'three', 'two'])
    // A work that goes on after a statement that failed has lost what it wrote before: that is said, not hidden.
    const goesOn = inTransaction(db, async inside => {
      await put(inside, 'four').execute()
      await put(inside, 'one')
        .execute()
        .catch(() => undefined)
    })
    await assert.rejects(goesOn, /undone/)
    assert.deepEqual(await keys(db), ['one', 'three', 'two'])
  })

  test('the audit log is not changed there either, and what belongs to an app goes with it', async () => {
    await using store = await open(await fresh())
    const { db } = store
    const line = {
      request: 'r',
      who: 'w',
      address: 'a',
      action: 'x',
      target: 't',
      result: 'done',
      hash: 'h',
    } as const
    await db
      .insertInto('audit')
      .values({ ...line, seq: 1, at: 1 })
      .execute()
    await assert.rejects(db.updateTable('audit').set({ who: 'nobody' }).execute(), /not changed/)
    await assert.rejects(db.deleteFrom('audit').execute(), /not changed/)
    await db
      .insertInto('apps')
      .values({ ...APP, id: 'app' })
      .execute()
    await db.insertInto('project_items').values({ kind: 'app', item: 'app' }).execute()
    await db.insertInto('domains').values({ host: 'h', app_id: 'app' }).execute()
    await db.deleteFrom('apps').execute()
    assert.deepEqual(await db.selectFrom('project_items').selectAll().execute(), [])
    assert.deepEqual(await db.selectFrom('domains').selectAll().execute(), [])
  })

  test('a row that does not wait for the disk is there at once, alone and in a transaction', async () => {
    await using store = await open(await fresh())
    const { db } = store
    await put(db, 'alone').modifyEnd(SOON).execute()
    await inTransaction(db, async inside => {
      await put(inside, 'inside').modifyEnd(SOON).execute()
      const { rows } = await sql<{
        mode: string
      }>`select current_setting('synchronous_commit') as mode`.execute(inside)
      assert.equal(rows[0]?.mode, 'on')
    })
    const { rows } = await sql<{
      mode: string
    }>`select current_setting('synchronous_commit') as mode`.execute(db)
    assert.equal(rows[0]?.mode, 'on')
    assert.deepEqual(await keys(db), ['alone', 'inside'])
  })

  test('a leader that says nothing any more loses lock and writes to who stands by, and no other does', async () => {
    const address = await fresh()
    const lost = Promise.withResolvers<void>()
    const peers = { name: 'one', listen: { host: '127.0.0.1', port: 1 }, address: '127.0.0.1:1' }
    await using first = await open({ ...address, onLost: lost.resolve })
    const sealer = await openSealer(first.db, join(folder, 'leader.key'))
    const lead = await takeLead({ db: first.db, clock: systemClock, sealer }, peers)
    const watch = new LeaderWatch(address)
    const { isHeld, leader } = await watch.look()
    assert.deepEqual([isHeld, leader?.name, leader?.epoch], [true, 'one', lead.epoch])
    assert.equal(await watch.endSilent(lead.epoch, 60_000), false)
    assert.equal(await watch.endSilent(lead.epoch + 1, -60_000), false)
    const half = inTransaction(first.db, async inside => {
      await put(inside, 'half').execute()
      assert.equal(await watch.endSilent(lead.epoch, -60_000), true)
      await put(inside, 'other half').execute()
    })
    await assert.rejects(half, isStoreTrouble)
    await lost.promise
    await until('the lock to be free', async () => !(await watch.look()).isHeld)
    await watch.close()
    await using second = await open(address)
    const next = await takeLead({ db: second.db, clock: systemClock, sealer }, { ...peers, name: 'other' })
    assert.ok(next.epoch > lead.epoch && next.since >= lead.since)
    // It does not come back by itself, not even when nobody leads.
    await assert.rejects(put(first.db, 'late').execute(), STORE_UNAVAILABLE.matches)
    assert.deepEqual(await keys(second.db), ['epoch', 'seal-check'])
  })

  test('X05 the command line backs up and restores it; a restore that is killed leaves nothing, or what says so', async () => {
    await using own = new AsyncDisposableStack()
    const data = await temporaryFolder(own)
    const [manager, file, key] = [join(data, 'manager'), join(data, 'one.age'), join(data, 'key')]
    const address = await fresh()
    const store = await openStore(manager, Date.now, address)
    await openSealer(store.db, join(manager, 'secret.key'))
    const place = { folder: join(manager, 'identity'), clock: systemClock }
    loadOrCreateIdentity({ ...place, name: 'manager', role: 'manager' })
    await nextEpoch(store.db)
    await put(store.db, 'kept').execute()
    const { recipient } = await fairlead<{ recipient: string }>(data, 'backup', 'key', key)
    const making = ['backup', 'create', file, '--recipient', recipient]
    const made = await fairleadWith<BackupFacts>(data, making, { FAIRLEAD_DATABASE_URL: placeOf(address) })
    await store.close()
    const verifying = ['backup', 'verify', file, '--identity', key]
    assert.equal((await fairlead<BackupFacts>(data, ...verifying)).key_id, made.key_id)

    const next = await newTestDatabase(server.url)
    const environment = { FAIRLEAD_DATABASE_URL: placeOf(next) }
    await rename(manager, `${manager}.old`)
    const opening = { identities: [(await readFile(key, 'utf8')).split('\n')[1] ?? ''] }
    const how = { nothingRevoked: true, hosts: [] }
    const restoring: BackupRequest = { do: 'restore', from: file, opening, ...how }
    await killedBackup(data, restoring, { place: 'manager restore filled', environment })
    assert.deepEqual(await tablesIn(next), [])
    await killedBackup(data, restoring, { place: 'manager restore before-rename', environment })
    assert.deepEqual(await readdir(manager), [])
    await assert.rejects(open(next), STORE_UNFINISHED.matches)
    await fairleadWith(data, ['restore', file, '--identity', key, '--nothing-revoked'], environment)
    const restored = await openStore(manager, Date.now, next)
    own.defer(() => restored.close())
    assert.deepEqual(await keys(restored.db), ['epoch', 'kept', 'seal-check'])
  })

  test('W35 a server that dies in a transaction is trouble of the store, nothing is half-written, and it goes on by itself', async () => {
    await using store = await open(await fresh())
    const { db } = store
    await put(db, 'before').execute()
    const lost = inTransaction(db, async inside => {
      await put(inside, 'half').execute()
      await server.kill()
      await put(inside, 'other half').execute()
    })
    await assert.rejects(lost, isStoreTrouble)
    await assert.rejects(put(db, 'while it is away').execute(), STORE_UNAVAILABLE.matches)
    await server.start()
    // For a while after waiting in vain it does not ask the server again.
    await until('the store to answer', async () => {
      const found = await keys(db).catch(error => {
        assert.ok(isStoreTrouble(error), error)
      })
      return found !== undefined
    })
    assert.deepEqual(await keys(db), ['before'])
    await put(db, 'after').execute()
    assert.deepEqual(await keys(db), ['after', 'before'])
  })
})

async function tablesIn(address: PostgresAddress) {
  const line = await connect(address)
  try {
    return (await line.query(`select tablename from pg_tables where schemaname = 'public'`)).rows
  } finally {
    await line.close()
  }
}

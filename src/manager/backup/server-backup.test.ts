import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { sql } from 'kysely'
import type { BackupFacts, RestoredFacts } from '#contract/backup.ts'
import { systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/logger.ts'
import { loadOrCreateIdentity } from '#link/identity.ts'
import { createAudit, verifyAudit } from '#manager/audit/audit.ts'
import { createToken, findSpeaker } from '#manager/people/tokens.ts'
import { openSealer } from '#manager/secrets/key-file.ts'
import { openStore, type Store } from '#manager/store/database.ts'
import { nextEpoch } from '#manager/store/epoch.ts'
import { copyFileToServer } from '#manager/store/file-to-server.ts'
import { markFinished, markUnfinished } from '#manager/store/filling.ts'
import { type PostgresAddress, placeOf } from '#manager/store/postgres-address.ts'
import { copyServerToFile } from '#manager/store/server-to-file.ts'
import { newTestDatabase, TEST_SERVER } from '#manager/store/test-database.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { runBackup } from './run-backup.ts'

const skip = TEST_SERVER === undefined && 'npm run test:postgres has a server for it'

describe('a backup of a manager whose database is in PostgreSQL', { skip }, () => {
  let folder = ''
  let data = ''
  let file = ''
  let key = { identity: '', recipient: '' }
  let address: PostgresAddress

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'fairlead-server-backup-'))
    data = join(folder, 'manager')
    file = join(folder, 'one.age')
    address = await newTestDatabase(TEST_SERVER ?? '')
    key = (await run({ do: 'key' })) as typeof key
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  async function run(request: object, database: PostgresAddress | undefined = address) {
    return await runBackup(data, JSON.stringify(request), {
      clock: systemClock,
      logger: silentLogger,
      database,
    })
  }

  async function create(): Promise<BackupFacts> {
    const request = { do: 'create', to: file, recipients: [key.recipient], logs: true }
    return (await run(request)) as BackupFacts
  }

  async function restore(how: object, database?: PostgresAddress): Promise<RestoredFacts> {
    const opening = { identities: [key.identity] }
    const request = { do: 'restore', from: file, opening, nothingRevoked: false, hosts: [], ...how }
    return (await runBackup(data, JSON.stringify(request), {
      clock: systemClock,
      logger: silentLogger,
      database,
    })) as RestoredFacts
  }

  async function aManager(): Promise<{
    store: Store
    token: string
    revoked: { id: string; token: string }
  }> {
    const store = await openStore(data, Date.now, address)
    const { db } = store
    const sealer = await openSealer(db, join(data, 'secret.key'))
    const identity = { folder: join(data, 'identity'), clock: systemClock }
    loadOrCreateIdentity({ ...identity, name: 'manager', role: 'manager' })
    await nextEpoch(db)
    const audit = createAudit({
      ...{ clock: systemClock, logger: silentLogger },
      ...{ db, sealer, config: { data } },
    })
    const line = { request: 'r', who: 'old', address: '::1', action: 'POST /apps', target: 'x' }
    await audit.add({ ...line, plan_hash: null, details: null, result: 'done', status: 201 })
    audit.close()
    const context = { db, clock: systemClock }
    const { token } = await createToken(context, wanted('old'))
    return { store, token, revoked: await createToken(context, wanted('revoked')) }
  }

  test('X05 is taken at one moment while it writes, and goes into another database with what was revoked since left out', async t => {
    const { store, token, revoked } = await aManager()
    const { db } = store
    await db
      .insertInto('log_pieces')
      .values({ deployment_id: 'd', segment: 1, at: 0, lines: 'a line that was logged\n' })
      .execute()
    // Two rows always say the same.
    let isMade = false
    const first = Promise.withResolvers<void>()
    const writing = (async () => {
      for (let count = 0; !isMade; count++) {
        await inTransaction(db, async inside => {
          for (const key of ['one', 'other']) {
            await inside
              .insertInto('meta')
              .values({ key, value: String(count) })
              .onConflict(conflict => conflict.column('key').doUpdateSet({ value: String(count) }))
              .execute()
          }
        })
        first.resolve()
      }
    })()
    await first.promise
    const made = await create().finally(() => {
      isMade = true
    })
    await writing
    deepEqual(await run({ do: 'verify', from: file, opening: { identities: [key.identity] } }), made)
    await db.deleteFrom('tokens').where('id', '=', revoked.id).execute()
    await db.updateTable('meta').set({ value: '9000000000000' }).where('key', '=', 'epoch').execute()
    renameSync(data, `${data}.old`)
    const next = await newTestDatabase(TEST_SERVER ?? '')
    await rejects(restore({ nothingRevoked: true }, address), { code: 'RESTORE_DATABASE_NOT_EMPTY' })
    await store.close()
    const since = { since: `${data}.old`, sinceDatabase: urlOf(address) }
    await rejects(restore({ ...since, sinceDatabase: 'nonsense' }, next), { code: 'BACKUP_REQUEST_INVALID' })
    const restored = await restore(since, next)
    ok(restored.epoch > 9_000_000_000_000)
    equal(restored.shut_out.tokens, 1)
    deepEqual(readdirSync(folder).sort(), ['manager', 'manager.old', 'one.age'])
    ok(!readdirSync(data).includes('fairlead.db'))
    await rejects(restore({ nothingRevoked: true }, next), { code: 'RESTORE_NOT_EMPTY' })

    const again = await openStore(data, Date.now, next)
    t.after(() => again.close())
    const context = { db: again.db, clock: systemClock }
    equal((await findSpeaker(context, token))?.name, 'old')
    equal(await findSpeaker(context, revoked.token), undefined)
    const sealer = await openSealer(again.db, join(data, 'secret.key'))
    equal((await verifyAudit({ db: again.db, sealer, config: { data } })).problem, null)
    ok((await nextEpoch(again.db)) > restored.epoch)
    const pair = await again.db
      .selectFrom('meta')
      .select('value')
      .where('key', 'in', ['one', 'other'])
      .execute()
    equal(pair.length, 2)
    equal(pair[0]?.value, pair[1]?.value)
    equal((await again.db.selectFrom('log_pieces').select('lines').execute()).length, 1)
  })

  test('X05 goes into a file, and one of a file into a database: that is how a manager moves', async () => {
    const { store, token } = await aManager()
    await create()
    await store.close()
    renameSync(data, `${data}.old`)
    await restore({ nothingRevoked: true })
    const inFile = await openStore(data, Date.now)
    equal((await findSpeaker({ db: inFile.db, clock: systemClock }, token))?.name, 'old')
    await inFile.close()
    rmSync(file)
    await run({ do: 'create', to: file, recipients: [key.recipient], logs: false }, undefined)
    rmSync(data, { recursive: true })
    const next = await newTestDatabase(TEST_SERVER ?? '')
    await restore({ nothingRevoked: true }, next)
    const inServer = await openStore(data, Date.now, next)
    equal((await findSpeaker({ db: inServer.db, clock: systemClock }, token))?.name, 'old')
    await inServer.close()
  })

  test('X05 a restore into whose database another one came is given up, and leaves that one its mark', async () => {
    const { store } = await aManager()
    await create()
    await store.close()
    renameSync(data, `${data}.old`)
    const next = await newTestDatabase(TEST_SERVER ?? '')
    const cut = await openStore(join(folder, 'cut'), Date.now, next)
    await markUnfinished(cut.db, 'one that was killed')
    // The mark is that of the other one by the time when this one is done.
    await sql`create function overtake() returns trigger language plpgsql
      as 'begin new.value := ''the other one''; return new; end'`.execute(cut.db)
    const overtake = sql`create trigger overtake before insert on meta for each row execute function overtake()`
    await overtake.execute(cut.db)
    await cut.close()
    await rejects(restore({ nothingRevoked: true }, next), { code: 'RESTORE_OVERTAKEN' })
    deepEqual(readdirSync(folder).sort(), ['cut', 'manager.old', 'one.age'])
    equal(await markFinished(next, 'the other one'), true)
    equal(await markFinished(next, 'the other one'), false)
  })

  test('every table comes back as it was, with its references, triggers and numbers', async () => {
    const { store } = await aManager()
    const { db } = store
    const person = { id: 'p', name: 'Ada “<\\', email: 'ada@example.org', role: 'admin' } as const
    await db
      .insertInto('people')
      .values({ ...person, created_at: 1_900_000_000_123 })
      .execute()
    await db.insertInto('meta').values({ key: 'empty', value: '' }).execute()
    const before = await contentOf(db)
    const copy = join(folder, 'copy.db')
    await copyServerToFile(address, copy, { now: Date.now })
    const next = await newTestDatabase(TEST_SERVER ?? '')
    mkdirSync(join(folder, 'next'))
    const filled = await openStore(join(folder, 'next'), Date.now, next)
    await copyFileToServer(copy, filled.db)
    deepEqual(await contentOf(filled.db), before)
    ok(Object.keys(before).length > 40)
    const shape = async (of: Store['db']) => {
      const { rows } = await sql`select conrelid::regclass::text as t, conname, pg_get_constraintdef(oid) as d
        from pg_constraint where connamespace = current_schema()::regnamespace order by 1, 2`.execute(of)
      const triggers =
        await sql`select tgname, tgenabled from pg_trigger where not tgisinternal order by 1`.execute(of)
      return [rows, triggers.rows]
    }
    deepEqual(await shape(filled.db), await shape(db))
    await rejects(filled.db.deleteFrom('audit').execute())
    const numbered = await filled.db.selectFrom('audit').select('seq').execute()
    const sealer = await openSealer(filled.db, join(data, 'secret.key'))
    const audit = createAudit({
      ...{ clock: systemClock, logger: silentLogger },
      ...{ db: filled.db, sealer, config: { data } },
    })
    const line = { request: 'r', who: 'old', address: '::1', action: 'POST /apps', target: 'x' }
    await audit.add({ ...line, plan_hash: null, details: null, result: 'done', status: 201 })
    audit.close()
    equal((await filled.db.selectFrom('audit').select('seq').execute()).length, numbered.length + 1)
    await filled.close()
    await store.close()
  })
})

/** Every row of every table. */
async function contentOf(db: Store['db']): Promise<Record<string, readonly string[]>> {
  const tables = await sql<{ name: string }>`
    select tablename as name from pg_tables where schemaname = 'public' and tablename <> 'migrations' order by 1
  `.execute(db)
  const content: Record<string, readonly string[]> = {}
  for (const { name } of tables.rows) {
    const { rows } = await sql`select * from ${sql.table(name)}`.execute(db)
    content[name] = rows.map(row => JSON.stringify(row)).sort()
  }
  return content
}

function wanted(name: string) {
  const none = { expiresAt: null, trusts: null, personId: null, projectId: null, scopes: null }
  return { ...none, name, role: 'admin' } as const
}

function urlOf(address: PostgresAddress): string {
  const url = placeOf(address)
  const password = address.password?.reveal()
  return password === undefined ? url : url.replace('@', `:${encodeURIComponent(password)}@`)
}

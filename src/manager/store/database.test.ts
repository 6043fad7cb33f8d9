import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, test } from 'node:test'
import { sql } from 'kysely'
import { openStore } from './database.ts'
import {
  STORE_DAMAGED,
  STORE_FOREIGN,
  STORE_FULL,
  STORE_IN_USE,
  STORE_NEWER,
  STORE_UNWRITABLE,
} from './errors.ts'
import { MIGRATIONS } from './migrations/index.ts'
import { SOON } from './soon.ts'
import { isConstraintViolation } from './store-error.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fairlead-store-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('a new folder gets a migrated database that keeps its rows and survives a reopening', async () => {
  const first = await openStore(join(folder, 'deep/data'), () => 1)
  assert.deepEqual(
    first.migrated,
    MIGRATIONS.map(({ name }) => name),
  )
  await first.db.insertInto('meta').values({ key: 'epoch', value: '7' }).execute()
  await first.close()
  const second = await openStore(join(folder, 'deep/data'), () => 2)
  assert.deepEqual(second.migrated, [])
  assert.equal((await second.db.selectFrom('meta').selectAll().executeTakeFirst())?.value, '7')
  await second.close()
})

test('a commit is durable and foreign keys are enforced', async () => {
  const store = await openStore(folder, () => 1)
  const pragma = async (name: string) =>
    Object.values(
      (await sql.raw<Record<string, unknown>>(`pragma ${name}`).execute(store.db)).rows[0] ?? {},
    )[0]
  assert.equal(await pragma('journal_mode'), 'wal')
  assert.equal(await pragma('synchronous'), 2)
  assert.equal(await pragma('foreign_keys'), 1)
  assert.equal(await pragma('busy_timeout'), 20)
  await assert.rejects(
    store.db.insertInto('domains').values({ host: 'h', app_id: 'none' }).execute(),
    isConstraintViolation,
  )
  await store.close()
})

test('M23 a row that does not wait for the disk outlives a kill, and the next one waits again', async () => {
  const store = await openStore(join(folder, 'alive'), () => 1)
  const insert = (key: string) => store.db.insertInto('meta').values({ key, value: '1' })
  await insert('first').execute()
  await insert('soon').modifyEnd(SOON).execute()
  await store.db.transaction().execute(async transaction => {
    await transaction.insertInto('meta').values({ key: 'inside', value: '1' }).modifyEnd(SOON).execute()
  })
  const { rows } = await sql<{ synchronous: number }>`pragma synchronous`.execute(store.db)
  assert.equal(rows[0]?.synchronous, 2)

  // What a kill at this moment would leave behind.
  mkdirSync(join(folder, 'left'))
  for (const file of ['fairlead.db', 'fairlead.db-wal']) {
    copyFileSync(join(folder, 'alive', file), join(folder, 'left', file))
  }
  const after = await openStore(join(folder, 'left'), () => 2)
  const keys = (await after.db.selectFrom('meta').select('key').execute()).map(row => row.key)
  assert.ok(['first', 'soon', 'inside'].every(key => keys.includes(key)))
  await after.close()
  await store.close()
})

test('a second manager on the same folder is refused, a reader is not', async () => {
  const store = await openStore(folder, () => 1)
  await assert.rejects(
    openStore(folder, () => 1),
    STORE_IN_USE.matches,
  )
  const reader = new DatabaseSync(join(folder, 'fairlead.db'), { readOnly: true })
  assert.equal(reader.prepare('select count(*) as n from apps').get()?.n, 0)
  reader.close()
  await store.close()
  await (await openStore(folder, () => 1)).close()
})

test('a database of a newer program is refused and left as it is', async () => {
  await (await openStore(folder, () => 1)).close()
  const file = join(folder, 'fairlead.db')
  const raw = new DatabaseSync(file)
  raw.exec(`insert into migrations values ('0099-future', 1)`)
  raw.close()
  const before = readFileSync(file)
  await assert.rejects(
    openStore(folder, () => 1),
    STORE_NEWER.matches,
  )
  assert.deepEqual(readFileSync(file), before)
})

test('a database of another program is left alone', async () => {
  const raw = new DatabaseSync(join(folder, 'fairlead.db'))
  raw.exec('create table theirs (a)')
  raw.close()
  await assert.rejects(
    openStore(folder, () => 1),
    STORE_FOREIGN.matches,
  )
})

test('a damaged file says so', async () => {
  writeFileSync(join(folder, 'fairlead.db'), 'x'.repeat(8192))
  await assert.rejects(
    openStore(folder, () => 1),
    STORE_DAMAGED.matches,
  )
})

test('a folder that cannot be made says so', async () => {
  writeFileSync(join(folder, 'file'), '')
  await assert.rejects(
    openStore(join(folder, 'file/data'), () => 1),
    STORE_UNWRITABLE.matches,
  )
})

test('a full disk says so, undoes the transaction and works again once there is space', async () => {
  const store = await openStore(folder, () => 1)
  await sql.raw('pragma max_page_count = 1').execute(store.db)
  const filling = store.db.transaction().execute(async transaction => {
    await transaction.insertInto('meta').values({ key: 'small', value: 'x' }).execute()
    await transaction
      .insertInto('meta')
      .values({ key: 'big', value: 'x'.repeat(200_000) })
      .execute()
  })
  await assert.rejects(filling, STORE_FULL.matches)
  assert.deepEqual(await store.db.selectFrom('meta').selectAll().execute(), [])
  await sql.raw('pragma max_page_count = 4294967294').execute(store.db)
  await store.db.insertInto('meta').values({ key: 'small', value: 'x' }).execute()
  await store.close()
})

test('a database of a server is not begun beside a file that could be meant', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-store-'))
  try {
    writeFileSync(join(folder, 'fairlead.db'), '')
    const server = { host: '/nowhere', port: 5432, user: 'x', database: 'x', tls: false }
    await assert.rejects(openStore(folder, Date.now, { ...server, password: undefined, ca: undefined }), {
      code: 'STORE_TWICE',
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
})

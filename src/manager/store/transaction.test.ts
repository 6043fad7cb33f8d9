import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Kysely, SqliteDialect, sql } from 'kysely'
import { STORE_FULL } from './errors.ts'
import { migrate } from './migrate.ts'
import { createSqlite } from './sqlite.ts'
import type { Tables } from './tables.ts'
import { afterCommit, inTransaction } from './transaction.ts'

test('works that arrive together share a commit, and one that throws undoes only itself', async () => {
  const { db, commits } = await aStore()
  const before = commits()
  const results = await Promise.allSettled([
    inTransaction(db, transaction => put(transaction, 'a')),
    inTransaction(db, async transaction => {
      await put(transaction, 'undone')
      throw new Error('changed my mind')
    }),
    inTransaction(db, transaction => put(transaction, 'b')),
  ])
  assert.deepEqual(
    results.map(result => (result.status === 'fulfilled' ? result.value : String(result.reason))),
    ['a', 'Error: changed my mind', 'b'],
  )
  assert.equal(commits() - before, 1)
  assert.deepEqual(await keys(db), ['a', 'b'])
})

test('inside a transaction the work joins it and is undone with it', async () => {
  const { db } = await aStore()
  const outer = inTransaction(db, async transaction => {
    await inTransaction(transaction, inner => put(inner, 'inner'))
    throw new Error('outer')
  })
  await assert.rejects(outer, /outer/)
  assert.deepEqual(await keys(db), [])
})

test('W35 a full disk fails the whole group, nothing is half-written, and the next one works', async () => {
  const { db } = await aStore()
  await sql.raw('pragma max_page_count = 1').execute(db)
  const results = await Promise.allSettled([
    inTransaction(db, transaction => put(transaction, 'small')),
    inTransaction(db, transaction => put(transaction, 'big'.repeat(100_000))),
  ])
  assert.deepEqual(
    results.map(result => result.status === 'rejected' && STORE_FULL.matches(result.reason)),
    [true, true],
  )
  assert.deepEqual(await keys(db), [])
  await sql.raw('pragma max_page_count = 4294967294').execute(db)
  await inTransaction(db, transaction => put(transaction, 'later'))
  assert.deepEqual(await keys(db), ['later'])
})

test('what waits for a commit is done after it and before the works resolve, and not for one that was undone', async () => {
  const { db, commits } = await aStore()
  const seen: string[] = []
  const before = commits()
  const note = (at: Kysely<Tables>, what: string) =>
    afterCommit(at, () => void seen.push(`${what} ${commits() - before}`))
  await Promise.allSettled([
    inTransaction(db, async transaction => {
      await inTransaction(transaction, async inner => note(inner, 'inner'))
      await put(transaction, 'a')
    }).then(() => seen.push('resolved')),
    inTransaction(db, async transaction => {
      note(transaction, 'undone')
      throw new Error('changed my mind')
    }),
  ])
  assert.deepEqual(seen, ['inner 1', 'resolved'])
  await inTransaction(db, async transaction => note(transaction, 'alone'))
  note(db, 'outside')
  assert.deepEqual(seen.slice(2), ['alone 2', 'outside 2'])
})

async function aStore() {
  const sqlite = createSqlite(':memory:')
  let commits = 0
  const counting = {
    ...sqlite,
    prepare(text: string) {
      commits += text === 'commit' ? 1 : 0
      return sqlite.prepare(text)
    },
  }
  const db = new Kysely<Tables>({ dialect: new SqliteDialect({ database: counting }) })
  await migrate(db as Kysely<unknown>, { file: 'f', now: () => 1 })
  return { db, commits: () => commits }
}

async function put(db: Kysely<Tables>, key: string): Promise<string> {
  await db.insertInto('meta').values({ key, value: key }).execute()
  return key
}

async function keys(db: Kysely<Tables>): Promise<string[]> {
  return (await db.selectFrom('meta').select('key').orderBy('key').execute()).map(row => row.key)
}

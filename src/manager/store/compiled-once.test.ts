import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { compiledOnce } from './compiled-once.ts'
import { leaveTestDatabase, openTestDatabase } from './test-database.ts'
import { inTransaction } from './transaction.ts'

test('A query that is compiled once takes its values anew each time, in a transaction and outside', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-once-'))
  const { db, close } = await openTestDatabase(folder, Date.now)
  let built = 0
  const insert = compiledOnce((on, row: { key: string; value: string }) => {
    built += 1
    return on.insertInto('meta').values({ value: row.value, key: row.key })
  })
  const find = compiledOnce((on, { key, not }: { key: string; not: string }) => {
    built += 1
    return on.selectFrom('meta').select('value').where('key', '=', key).where('value', '!=', not)
  })
  try {
    await insert(db, { key: 'one', value: '1' })
    await inTransaction(db, async inside => {
      await insert(inside, { key: 'two', value: '2' })
      assert.equal((await find(inside, { key: 'two', not: '' }))[0]?.value, '2')
    })
    assert.equal((await find(db, { key: 'one', not: '' }))[0]?.value, '1')
    assert.deepEqual(await find(db, { key: 'one', not: '1' }), [])
    assert.equal(built, 2)
  } finally {
    await close()
    leaveTestDatabase(folder)
    rmSync(folder, { recursive: true })
  }
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Kysely, SqliteDialect, sql } from 'kysely'
import { migrate } from './migrate.ts'
import type { Migration } from './migrations/index.ts'
import { createSqlite } from './sqlite.ts'

const one: Migration = {
  name: '0001-one',
  up: async db => void (await sql`create table one (a)`.execute(db)),
}
const two: Migration = {
  name: '0002-two',
  up: async db => void (await sql`create table two (a)`.execute(db)),
}
const broken: Migration = {
  name: '0002-broken',
  up: async db => {
    await sql`create table half (a)`.execute(db)
    throw new Error('broken')
  },
}

test('only missing migrations are applied, in order', async () => {
  const db = inMemory()
  assert.deepEqual(await migrate(db, { file: 'f', now: () => 1, migrations: [one] }), ['0001-one'])
  assert.deepEqual(await migrate(db, { file: 'f', now: () => 1, migrations: [one, two] }), ['0002-two'])
  assert.deepEqual(await tables(db), ['migrations', 'one', 'two'])
})

test('a migration that fails leaves nothing behind', async () => {
  const db = inMemory()
  await migrate(db, { file: 'f', now: () => 1, migrations: [one] })
  await assert.rejects(migrate(db, { file: 'f', now: () => 1, migrations: [one, broken] }), /broken/)
  assert.deepEqual(await tables(db), ['migrations', 'one'])
})

function inMemory(): Kysely<unknown> {
  return new Kysely({ dialect: new SqliteDialect({ database: createSqlite(':memory:') }) })
}

async function tables(db: Kysely<unknown>): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select name from sqlite_master where type = 'table' order by name`.execute(db)
  return rows.map(row => row.name)
}

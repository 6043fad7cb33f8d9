import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { sql } from 'kysely'
import { addApp, openTestStore } from '#manager/deployments/test-store.ts'
import { addKey, openSealer } from './key-file.ts'
import { ownSecrets, setSecret } from './queries.ts'
import { type Resealed, resealAll, SEALED_COLUMNS } from './reseal.ts'
import { createSealer } from './seal.ts'
import { setSharedSecret, sharedSecretsOf } from './shared.ts'

const VALUE = 'canary-of-the-rotation'

test('R14 a rotated key opens everything that was sealed before, and the old one nothing any more', async t => {
  const { store, file, shop, shared, lines } = await world(t)
  const old = readFileSync(file, 'utf8')
  const before = await sealedOf(store.db)
  addKey(file)
  assert.equal(lines(), 2)
  const told: Resealed[] = []
  const sealer = await openSealer(store.db, file, each => told.push(each))
  assert.deepEqual(told, [{ moved: 3, left: [] }])
  assert.equal(lines(), 1)
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.ok(!readFileSync(file, 'utf8').includes(old.trim()))
  assert.equal((await ownSecrets({ ...store, sealer }, shop)).values.TOKEN, VALUE)
  assert.equal((await sharedSecretsOf(store.db, shared)).size, 1)
  const after = await sealedOf(store.db)
  assert.ok(after.every(each => !before.includes(each)))
  writeFileSync(file, old)
  await assert.rejects(openSealer(store.db, file), { code: 'SEAL_KEY_WRONG' })
})

test('R14 a manager that is killed at any step of a rotation goes on with it', async t => {
  const { store, file, shop, lines } = await world(t)
  const isWhole = async () =>
    assert.equal(
      (await ownSecrets({ ...store, sealer: await openSealer(store.db, file) }, shop)).values.TOKEN,
      VALUE,
    )
  // Killed while the file was written: a draft is left, the old file is whole.
  writeFileSync(`${file}.new`, 'half', { mode: 0o600 })
  await isWhole()
  // Killed after the file was written: nothing is sealed with the new key yet.
  addKey(file)
  const both = `${file}.both`
  copyFileSync(file, both)
  // Killed inside the transaction: it is undone.
  const [first = Buffer.alloc(0), ...older] = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map(line => Buffer.from(line, 'base64'))
  await assert.rejects(
    store.db.transaction().execute(async transaction => {
      await resealAll(transaction, createSealer(first, ...older), createSealer(first))
      throw new Error('killed')
    }),
    /killed/,
  )
  await isWhole()
  assert.equal(lines(), 1)
  // Killed after the transaction: both keys are in the file still.
  copyFileSync(both, file)
  const told: Resealed[] = []
  await openSealer(store.db, file, each => told.push(each))
  assert.deepEqual(told, [{ moved: 0, left: [] }])
  assert.equal(lines(), 1)
  await isWhole()
  // Begun twice before a start.
  addKey(file)
  addKey(file)
  assert.equal(lines(), 3)
  await isWhole()
  assert.equal(lines(), 1)
})

test('the older key stays for a value that nobody could open, and is said to', async t => {
  const { store, file, lines } = await world(t)
  await store.db.updateTable('secret_revisions').set({ value_sealed: 'v1.damaged' }).execute()
  addKey(file)
  const told: Resealed[] = []
  await openSealer(store.db, file, each => told.push(each))
  assert.deepEqual(told[0]?.left, ['secret_revisions.value_sealed'])
  assert.equal(lines(), 2)
})

test('every sealed column of the database is known to a rotation', async () => {
  const store = await openTestStore()
  try {
    const tables = await store.db.introspection.getTables()
    const sealed = tables.flatMap(({ name: table, columns }) =>
      columns.filter(({ name }) => name.endsWith('_sealed')).map(({ name }) => `${table}.${name}`),
    )
    const known = SEALED_COLUMNS.map(({ table, column }) => `${table}.${column}`)
    assert.deepEqual(
      sealed.filter(each => !known.includes(each)),
      [],
    )
  } finally {
    await store.close()
  }
})

async function world(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-rotation-'))
  const store = await openTestStore()
  t.after(async () => {
    await store.close()
    rmSync(folder, { recursive: true })
  })
  const file = join(folder, 'secret.key')
  const sealer = await openSealer(store.db, file)
  const shop = await addApp(store, 'shop')
  const { repository_id = null, host } = await store.db
    .selectFrom('apps')
    .select(['repository_id', 'host'])
    .where('id', '=', shop)
    .executeTakeFirstOrThrow()
  const context = { ...store, sealer }
  await setSecret(context, { appId: shop, name: 'TOKEN', value: VALUE })
  await setSharedSecret(
    context,
    { repository_id: repository_id ?? '' },
    { name: 'SHARED', value: `${VALUE} too` },
  )
  return {
    store,
    file,
    shop,
    shared: { repository_id, host },
    lines: () => readFileSync(file, 'utf8').trim().split('\n').length,
  }
}

async function sealedOf(db: Awaited<ReturnType<typeof openTestStore>>['db']): Promise<string[]> {
  const { rows } = await sql<{ value_sealed: string }>`
    select value_sealed from secrets union all select value_sealed from secret_revisions
    union all select value_sealed from shared_secrets
  `.execute(db)
  return rows.map(row => row.value_sealed)
}

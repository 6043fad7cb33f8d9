import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import { newId } from '#lib/id.ts'
import type { Store } from '#manager/store/database.ts'
import { leaveTestDatabase, openTestDatabase } from '#manager/store/test-database.ts'
import { createFirstToken, findSpeaker } from './tokens.ts'

const folder = mkdtempSync(join(tmpdir(), 'fairlead-tokens-'))
let store: Store
before(async () => {
  store = await openTestDatabase(folder, systemClock.now)
})
after(async () => {
  await store.close()
  leaveTestDatabase(folder)
  rmSync(folder, { recursive: true })
})

test('A01 the first token is shown once and is the only one that speaks', async () => {
  const context = { db: store.db, clock: systemClock }
  const shown: string[] = []
  await createFirstToken(context, token => shown.push(token))
  await createFirstToken(context, token => shown.push(token))
  assert.equal(shown.length, 1)
  const token = shown[0] ?? ''
  assert.match(token, /^flt_[A-Za-z0-9_-]{43}$/)
  assert.equal((await findSpeaker(context, token))?.name, 'admin')
  for (const other of [
    '',
    'flt_',
    token.slice(0, -1),
    `${token}x`,
    token.toUpperCase(),
    `flt_${'A'.repeat(43)}`,
  ]) {
    assert.equal(await findSpeaker(context, other), undefined)
  }
})

test('A01 the token itself is not in the database', async () => {
  const rows = await store.db.selectFrom('tokens').selectAll().execute()
  assert.doesNotMatch(JSON.stringify(rows), /flt_/)
})

test('A01 a token that could not be shown is not stored', async () => {
  await store.db.deleteFrom('tokens').execute()
  const refuse = () => {
    throw new Error('standard output is closed')
  }
  await assert.rejects(createFirstToken({ db: store.db, clock: systemClock }, refuse), /closed/)
  assert.deepEqual(await store.db.selectFrom('tokens').selectAll().execute(), [])
})

test('A01 no first token is made again once somebody has an account', async () => {
  await store.db.deleteFrom('tokens').execute()
  const person = { id: newId(), name: 'Ada', email: 'ada@example.org', role: 'admin', created_at: 1 } as const
  await store.db.insertInto('people').values(person).execute()
  const shown: string[] = []
  const show = (token: string) => shown.push(token)
  await createFirstToken({ db: store.db, clock: systemClock }, show)
  assert.deepEqual([shown, await store.db.selectFrom('tokens').selectAll().execute()], [[], []])
})

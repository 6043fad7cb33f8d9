import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { DISK_FULL } from '#exec/errors.ts'
import { systemClock } from '#lib/clock.ts'
import { INTERNAL } from '#lib/errors.ts'
import { newId } from '#lib/id.ts'
import { clockOffBy, DAY, temporaryFolder } from '#link/test-identities.ts'
import { ALREADY_RUNNING, JOURNAL_DAMAGED, JOURNAL_UNWRITABLE } from './errors.ts'
import { Journal } from './journal.ts'
import { journalError } from './journal-error.ts'

function aFile(t: TestContext): string {
  return join(temporaryFolder(t), 'journal.db')
}

function aCommand() {
  return { id: newId(), name: 'test.echo', idem: '0'.repeat(64) }
}

test('M23 what was running when the agent died is interrupted, what had ended stays as it was', t => {
  const file = aFile(t)
  const before = new Journal(file, systemClock)
  const [running, ended] = [aCommand(), aCommand()]
  before.begin(running)
  before.begin(ended)
  before.end(ended.id, { state: 'succeeded', result: '{"a":1}', seq: 3 })
  before.close()

  const after = new Journal(file, systemClock)
  t.after(() => after.close())
  const row = after.find(running.id)
  assert.equal(row?.state, 'interrupted')
  assert.match(row?.error ?? '', /COMMAND_INTERRUPTED/)
  assert.deepEqual(after.find(ended.id), {
    ...ended,
    state: 'succeeded',
    result: '{"a":1}',
    error: null,
    seq: 3,
  })
})

test('M23 what needs no wait for the disk outlives a kill all the same', t => {
  const file = aFile(t)
  const alive = new Journal(file, systemClock)
  t.after(() => alive.close())
  const [changes, looks] = [aCommand(), aCommand()]
  alive.begin(changes)
  alive.end(changes.id, { state: 'succeeded', result: '{"a":1}', seq: 3 })
  alive.begin({ ...looks, looksOnly: true })

  // What a kill at this moment would leave behind.
  const left = aFile(t)
  for (const part of ['', '-wal']) {
    copyFileSync(`${file}${part}`, `${left}${part}`)
  }
  const after = new Journal(left, systemClock)
  t.after(() => after.close())
  assert.equal(after.find(changes.id)?.state, 'succeeded')
  assert.equal(after.find(looks.id)?.state, 'interrupted')
})

test('M18 the same id cannot begin twice', t => {
  const journal = new Journal(aFile(t), systemClock)
  t.after(() => journal.close())
  const command = aCommand()
  journal.begin(command)
  assert.throws(() => journal.begin(command), /UNIQUE/)
})

test('M25 the highest epoch is kept, and never lowered', t => {
  const file = aFile(t)
  const before = new Journal(file, systemClock)
  assert.equal(before.epoch(), 0)
  before.raiseEpoch(Number.MAX_SAFE_INTEGER - 1)
  before.raiseEpoch(3)
  before.close()
  const after = new Journal(file, systemClock)
  t.after(() => after.close())
  assert.equal(after.epoch(), Number.MAX_SAFE_INTEGER - 1)
})

test('only what the manager does not know the end of is listed', t => {
  const journal = new Journal(aFile(t), systemClock)
  t.after(() => journal.close())
  const [running, failed, settled] = [aCommand(), aCommand(), aCommand()]
  for (const command of [running, failed, settled]) {
    journal.begin(command)
  }
  journal.end(failed.id, { state: 'failed', error: INTERNAL('x'), seq: 7 })
  journal.end(settled.id, { state: 'succeeded', result: '{}', seq: 0 })
  journal.settle(settled.id)
  journal.settle(running.id)
  const listed = journal.unsettled().map(({ id, state, seq }) => `${id} ${state} ${seq}`)
  assert.deepEqual(listed.toSorted(), [`${running.id} running 0`, `${failed.id} failed 7`].toSorted())
})

test('what ended more than 7 days ago is forgotten, what runs is not', t => {
  const file = aFile(t)
  const journal = new Journal(file, clockOffBy(-8 * DAY))
  const [old, running] = [aCommand(), aCommand()]
  journal.begin(old)
  journal.begin(running)
  journal.end(old.id, { state: 'succeeded', result: '{}', seq: 0 })
  assert.deepEqual(journal.prune(), [])
  journal.close()
  const today = new Journal(file, systemClock)
  t.after(() => today.close())
  const recent = aCommand()
  today.begin(recent)
  assert.deepEqual(today.prune(), [old.id])
  assert.ok(today.find(recent.id))
  assert.equal(today.find(running.id)?.state, 'interrupted')
})

test('of more than 10,000 commands the oldest are forgotten', t => {
  const file = aFile(t)
  new Journal(file, systemClock).close()
  const db = new DatabaseSync(file)
  db.exec(`WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 10003)
    INSERT INTO commands (id, name, idem, state, started_at, ended_at)
    SELECT 'c' || n, 'x', '', 'succeeded', n, ${Date.now()} FROM numbers`)
  db.close()
  const journal = new Journal(file, systemClock)
  t.after(() => journal.close())
  assert.deepEqual([...journal.prune()].toSorted(), ['c1', 'c2', 'c3'])
})

test('a second agent in the same folder is refused', t => {
  const file = aFile(t)
  const journal = new Journal(file, systemClock)
  t.after(() => journal.close())
  assert.throws(() => new Journal(file, systemClock), ALREADY_RUNNING.matches)
})

test('a damaged journal is refused, and the message names it', t => {
  const file = aFile(t)
  writeFileSync(file, 'this is not a database, not at all, whatever else it may be'.repeat(100))
  assert.throws(
    () => new Journal(file, systemClock),
    error => JOURNAL_DAMAGED.matches(error) && error.message.includes(file),
  )
})

test('a journal that cannot be written is not called damaged, and nobody is told to move it away', t => {
  const file = aFile(t)
  mkdirSync(file)
  assert.throws(
    () => new Journal(file, systemClock),
    error => JOURNAL_UNWRITABLE.matches(error) && /^Keep /.test(error.hint) && error.retry === 'later',
  )
})

for (const [what, errcode, kind] of [
  ['a read-only disk', 8, JOURNAL_UNWRITABLE],
  ['a read-only folder (an extended code)', 1544, JOURNAL_UNWRITABLE],
  ['a disk that fails', 778, JOURNAL_UNWRITABLE],
  ['a file that cannot be opened', 14, JOURNAL_UNWRITABLE],
  ['a full disk', 13, DISK_FULL],
] as const) {
  test(`${what} is a fault of the disk, not of the journal`, () => {
    const error = journalError(Object.assign(new Error('it broke'), { errcode }), 'journal.db')
    assert.ok(kind.matches(error))
  })
}

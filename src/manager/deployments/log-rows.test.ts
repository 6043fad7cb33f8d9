import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Store } from '#manager/store/database.ts'
import { leaveTestDatabase, openTestDatabase } from '#manager/store/test-database.ts'
import { logFiles } from './log-place.ts'
import { hasLogRows, logRows } from './log-rows.ts'
import { DeploymentLogs } from './logs.ts'

let folder = ''
let store: Store
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fairlead-log-rows-'))
  store = await openTestDatabase(folder, () => 1)
})
after(async () => {
  await store.close()
  leaveTestDatabase(folder)
  rmSync(folder, { recursive: true })
})

const line = (text: string, commandSeq: number) => ({
  ...{ at: 1, step: 'build', stream: 'stdout' as const, text },
  ...{ command: 'c', commandSeq },
})
/** A manager with a folder of its own on the common database. */
const manager = (name: string, segmentBytes = 1000) =>
  new DeploymentLogs(logRows(store.db, logFiles(join(folder, name))), { segmentBytes, first: 2, last: 2 })

async function texts(logs: DeploymentLogs, id: string, after = 0): Promise<string[]> {
  return (await Array.fromAsync(logs.read(id, after))).map(({ seq, text }) => `${seq} ${text}`)
}

test('another manager goes on with a log where it was, and stores no line twice', async () => {
  const one = manager('one')
  await one.append('d', [line('a', 1), line('ä', 2)])
  await one.append('d', [line('c', 3)])
  const other = manager('other')
  assert.equal(await other.lastSeqOf('d', 'c'), 3)
  await other.append('d', [line('c', 3), line('d', 4)])
  assert.deepEqual(await texts(other, 'd'), ['1 a', '2 ä', '3 c', '4 d'])
  assert.deepEqual(await texts(other, 'd', 2), ['3 c', '4 d'])
  assert.deepEqual(await Array.fromAsync(other.ids()), ['d'])
  await other.remove('d')
  assert.deepEqual(await texts(manager('third'), 'd'), [])
  assert.deepEqual(await Array.fromAsync(other.ids()), [])
})

test('of a long log the middle goes there, too', async () => {
  const logs = manager('one', 50)
  for (let seq = 1; seq <= 6; seq++) {
    await logs.append('long', [line(`line ${seq}`, seq)])
  }
  const read = await texts(manager('other', 50), 'long')
  assert.deepEqual([read[0], read[1], read.at(-1)], ['1 line 1', '2 line 2', '6 line 6'])
  assert.ok(!read.includes('3 line 3'), read.join())
})

test('a log that was begun in a file of this manager goes on in the database', async () => {
  const files = join(folder, 'early')
  await new DeploymentLogs(files).append('early', [line('in a file', 1)])
  await manager('early').append('early', [line('in a row', 2)])
  assert.deepEqual(await texts(manager('early'), 'early'), ['1 in a file', '2 in a row'])
})

test('a manager that is alone again knows by its rows whether there are logs to read on in the database', async () => {
  await store.db.deleteFrom('log_pieces').execute()
  assert.equal(await hasLogRows(store.db), false)
  await manager('one').append('left', [line('a', 1)])
  assert.equal(await hasLogRows(store.db), true)
})

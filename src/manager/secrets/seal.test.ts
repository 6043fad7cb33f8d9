import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { leaveTestDatabase, openTestDatabase } from '#manager/store/test-database.ts'
import { SEAL_KEY_UNSAFE, SEAL_KEY_WRONG, SEALED_VALUE_DAMAGED } from './errors.ts'
import { loadOrCreateKeys, openSealer } from './key-file.ts'
import { createSealer } from './seal.ts'

const folder = mkdtempSync(join(tmpdir(), 'fairlead-seal-'))
after(() => rmSync(folder, { recursive: true }))

const sealer = createSealer(Buffer.alloc(32, 7))

test('a sealed value opens in its own place only', () => {
  const sealed = sealer.seal('päss\nword', 'secrets/a/TOKEN')
  assert.equal(sealer.open(sealed, 'secrets/a/TOKEN'), 'päss\nword')
  assert.throws(() => sealer.open(sealed, 'secrets/b/TOKEN'), SEALED_VALUE_DAMAGED.matches)
})

test('the same value is sealed differently each time', () => {
  assert.notEqual(sealer.seal('x', 'p'), sealer.seal('x', 'p'))
})

test('a sealed value that was changed anywhere is refused', () => {
  const sealed = sealer.seal('x'.repeat(20), 'p')
  for (let index = 0; index < sealed.length - 1; index += 1) {
    const other = sealed[index] === 'A' ? 'B' : 'A'
    const changed = sealed.slice(0, index) + other + sealed.slice(index + 1)
    assert.throws(() => sealer.open(changed, 'p'), SEALED_VALUE_DAMAGED.matches, `at ${index}`)
  }
  assert.throws(() => sealer.open('', 'p'), SEALED_VALUE_DAMAGED.matches)
})

test('R14 the key file is made once, readable by its owner only, and kept', () => {
  const file = join(folder, 'one/secret.key')
  const key = loadOrCreateKeys(file)
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.deepEqual(loadOrCreateKeys(file), key)
})

test('a key file that others may read, or a cut one, is refused', () => {
  const file = join(folder, 'two/secret.key')
  loadOrCreateKeys(file)
  chmodSync(file, 0o640)
  assert.throws(() => loadOrCreateKeys(file), SEAL_KEY_UNSAFE.matches)
  chmodSync(file, 0o600)
  writeFileSync(file, 'c2hvcnQ=')
  assert.throws(() => loadOrCreateKeys(file), SEAL_KEY_UNSAFE.matches)
})

test('a key that does not belong to the database is refused at the start', async () => {
  const store = await openTestDatabase(join(folder, 'three'), () => 1)
  await openSealer(store.db, join(folder, 'three/secret.key'))
  await openSealer(store.db, join(folder, 'three/secret.key'))
  await assert.rejects(openSealer(store.db, join(folder, 'other.key')), SEAL_KEY_WRONG.matches)
  await store.close()
  leaveTestDatabase(join(folder, 'three'))
})

import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { removeTemporaryFiles, writeTemporaryFiles } from './temporary-files.ts'

const root = mkdtempSync(join(tmpdir(), 'fairlead-temporary-files-test-'))
after(() => rmSync(root, { recursive: true }))

for (const name of ['../a', 'a/b', '', '.', '..', '.hidden', 'a\0b', 'a b']) {
  test(`a temporary file may not be called ${JSON.stringify(name)}`, async () => {
    await assert.rejects(writeTemporaryFiles([{ name, content: '' }], root), /cannot be called/)
    assert.deepEqual(readdirSync(root), [])
  })
}

test('two files of one name are an error and leave nothing', async () => {
  const twice = [
    { name: 'a', content: '1' },
    { name: 'a', content: '2' },
  ]
  await assert.rejects(writeTemporaryFiles(twice, root), { code: 'FILE_FAILED', message: /EEXIST/ })
  assert.deepEqual(readdirSync(root), [])
})

test('the sweep at a start removes what dead workers left and nothing else', async () => {
  // Above the highest pid that Linux gives.
  mkdirSync(join(root, 'fairlead-call-4194400-aaaa'))
  mkdirSync(join(root, `fairlead-call-${process.ppid}-bbbb`))
  mkdirSync(join(root, 'fairlead-other'))
  await removeTemporaryFiles(root)
  assert.deepEqual(readdirSync(root).toSorted(), [`fairlead-call-${process.ppid}-bbbb`, 'fairlead-other'])
})

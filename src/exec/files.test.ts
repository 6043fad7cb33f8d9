import assert from 'node:assert/strict'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { FileCall, FileResult } from './call.ts'
import { performFile } from './files.ts'

const root = mkdtempSync(join(tmpdir(), 'fairlead-files-test-'))
after(() => rmSync(root, { recursive: true }))

test('write makes a private file, replaces it whole, and leaves nothing beside it', async () => {
  const folder = aFolder()
  const path = join(folder, 'a.txt')
  await file({ operation: 'write', path, content: 'one' })
  assert.equal(statSync(path).mode & 0o777, 0o600)
  await file({ operation: 'write', path, content: 'two', mode: 0o644 })
  assert.equal(readFileSync(path, 'utf8'), 'two')
  assert.equal(statSync(path).mode & 0o777, 0o644)
  assert.deepEqual(readdirSync(folder), ['a.txt'])
})

test('write replaces a symbolic link instead of writing where it points', async () => {
  const folder = aFolder()
  writeFileSync(join(folder, 'target'), 'safe')
  symlinkSync('target', join(folder, 'link'))
  await file({ operation: 'write', path: join(folder, 'link'), content: 'new' })
  assert.equal(readFileSync(join(folder, 'target'), 'utf8'), 'safe')
})

test('write into a missing folder fails and leaves nothing', async () => {
  const folder = aFolder()
  await assert.rejects(file({ operation: 'write', path: join(folder, 'no/a'), content: '' }), {
    code: 'FILE_FAILED',
    message: /ENOENT/,
  })
  assert.deepEqual(readdirSync(folder), [])
})

test('read gives text and size, and says what is missing', async () => {
  const folder = aFolder()
  writeFileSync(join(folder, 'a'), 'h\u00e9')
  const { text, bytes, missing } = await file({ operation: 'read', path: join(folder, 'a'), maxBytes: 3 })
  assert.deepEqual({ text, bytes, missing }, { text: 'hé', bytes: 3, missing: false })
  assert.deepEqual(await file({ operation: 'read', path: join(folder, 'b'), maxBytes: 3 }), { missing: true })
})

test('read refuses what is too large, a folder and a symbolic link', async () => {
  const folder = aFolder()
  writeFileSync(join(folder, 'a'), '1234')
  symlinkSync('a', join(folder, 'link'))
  await assert.rejects(file({ operation: 'read', path: join(folder, 'a'), maxBytes: 3 }), {
    code: 'FILE_TOO_LARGE',
  })
  await assert.rejects(file({ operation: 'read', path: folder, maxBytes: 3 }), { code: 'FILE_FAILED' })
  await assert.rejects(file({ operation: 'read', path: join(folder, 'link'), maxBytes: 9 }), {
    message: /ELOOP/,
  })
})

test('make-folder makes the way to it and is content when it is there', async () => {
  const path = join(aFolder(), 'a/b/c')
  await file({ operation: 'make-folder', path })
  await file({ operation: 'make-folder', path })
  assert.equal(statSync(path).mode & 0o777, 0o700)
})

test('rename moves, and says when there is nothing to move', async () => {
  const folder = aFolder()
  writeFileSync(join(folder, 'a'), '')
  mkdirSync(join(folder, 'sub'))
  const path = join(folder, 'a')
  assert.deepEqual(await file({ operation: 'rename', path, to: join(folder, 'sub/b') }), { missing: false })
  assert.deepEqual(await file({ operation: 'rename', path, to: join(folder, 'c') }), { missing: true })
  assert.deepEqual(readdirSync(join(folder, 'sub')), ['b'])
})

test('copy takes files and folders with plain modes and leaves links and special files out', async () => {
  const folder = aFolder()
  mkdirSync(join(folder, 'from/deep'), { recursive: true, mode: 0o700 })
  writeFileSync(join(folder, 'from/deep/run'), '#!', { mode: 0o4700 })
  writeFileSync(join(folder, 'from/text'), 'x', { mode: 0o600 })
  symlinkSync('/etc/passwd', join(folder, 'from/link'))
  assert.deepEqual(await file({ operation: 'copy', path: join(folder, 'from'), to: join(folder, 'to') }), {
    missing: false,
  })
  assert.deepEqual(readdirSync(join(folder, 'to')), ['deep', 'text'])
  const modes = ['to', 'to/deep', 'to/deep/run', 'to/text'].map(
    name => statSync(join(folder, name)).mode & 0o7777,
  )
  assert.deepEqual(modes, [0o755, 0o755, 0o755, 0o644])
  assert.deepEqual(readdirSync(folder), ['from', 'to'])
})

test('copy of one file, of a missing one, and onto a folder that is there', async () => {
  const folder = aFolder()
  writeFileSync(join(folder, 'a'), 'x')
  mkdirSync(join(folder, 'full/sub'), { recursive: true })
  await file({ operation: 'copy', path: join(folder, 'a'), to: join(folder, 'b') })
  assert.equal(readFileSync(join(folder, 'b'), 'utf8'), 'x')
  const missing = await file({ operation: 'copy', path: join(folder, 'no'), to: join(folder, 'c') })
  assert.deepEqual(missing, { missing: true })
  await assert.rejects(file({ operation: 'copy', path: join(folder, 'a'), to: join(folder, 'full') }), {
    code: 'FILE_FAILED',
  })
  assert.deepEqual(readdirSync(folder), ['a', 'b', 'full'])
})

test('remove takes everything below and never follows a symbolic link', async () => {
  const folder = aFolder()
  mkdirSync(join(folder, 'keep'))
  writeFileSync(join(folder, 'keep/file'), '')
  mkdirSync(join(folder, 'gone/deep'), { recursive: true })
  symlinkSync('../../keep', join(folder, 'gone/deep/link'))
  symlinkSync('keep', join(folder, 'link'))
  assert.deepEqual(await file({ operation: 'remove', path: join(folder, 'gone') }), { missing: false })
  await file({ operation: 'remove', path: join(folder, 'link') })
  assert.deepEqual(await file({ operation: 'remove', path: join(folder, 'gone') }), { missing: true })
  assert.deepEqual(readdirSync(folder), ['keep'])
  assert.deepEqual(readdirSync(join(folder, 'keep')), ['file'])
})

test('list gives sorted names', async () => {
  const folder = aFolder()
  for (const name of ['b', 'a', 'C']) {
    writeFileSync(join(folder, name), '')
  }
  assert.deepEqual((await file({ operation: 'list', path: folder })).names, ['C', 'a', 'b'])
  assert.deepEqual(await file({ operation: 'list', path: join(folder, 'no') }), { missing: true })
})

test('stat gives kind, size, time and the free space of the disk', async () => {
  const folder = aFolder()
  writeFileSync(join(folder, 'a'), '1234')
  symlinkSync('nowhere', join(folder, 'link'))
  const found = await file({ operation: 'stat', path: join(folder, 'a') })
  assert.equal(found.kind, 'file')
  assert.equal(found.bytes, 4)
  assert.ok((found.modifiedMs ?? 0) > 0)
  const { freeBytes = 0, bytes = 0 } = found.disk ?? {}
  assert.ok(0 < freeBytes && freeBytes <= bytes)
  assert.equal((await file({ operation: 'stat', path: folder })).kind, 'folder')
  assert.equal((await file({ operation: 'stat', path: join(folder, 'link') })).kind, 'link')
  assert.equal((await file({ operation: 'stat', path: join(folder, 'no') })).missing, true)
})

const OUTSIDE = ['relative', '/etc/passwd', `${root}`, `${root}/../x`, `${root}-other/x`, `${root}/a/../../x`]
for (const path of OUTSIDE) {
  test(`a path out of the workspace is refused: ${path.replace(root, '<workspace>')}`, async () => {
    await assert.rejects(file({ operation: 'stat', path }, root), { code: 'PATH_LEAVES_WORKSPACE' })
  })
}

test('a symbolic link on the way is refused, also one that stays inside the workspace', async () => {
  const workspace = aFolder()
  mkdirSync(join(workspace, 'other'))
  writeFileSync(join(workspace, 'other/secret'), 'x')
  symlinkSync('other', join(workspace, 'link'))
  for (const call of [
    { operation: 'read', path: join(workspace, 'link/secret'), maxBytes: 9 },
    { operation: 'write', path: join(workspace, 'link/new'), content: '' },
    { operation: 'make-folder', path: join(workspace, 'link/new') },
    { operation: 'remove', path: join(workspace, 'link/secret') },
    { operation: 'rename', path: join(workspace, 'other/secret'), to: join(workspace, 'link/moved') },
  ] as const) {
    await assert.rejects(file(call, workspace), { code: 'PATH_LEAVES_WORKSPACE' }, call.operation)
  }
  assert.deepEqual(readdirSync(join(workspace, 'other')), ['secret'])
})

type Operation =
  FileCall<FileResult> extends infer C ? (C extends unknown ? Omit<C, 'kind' | 'read'> : never) : never

function file(operation: Operation, workspace?: string): Promise<FileResult> {
  const call = { kind: 'file', read: (result: FileResult) => result, ...operation } as FileCall<FileResult>
  return performFile(call, workspace === undefined ? {} : { workspace })
}

function aFolder(): string {
  return mkdtempSync(join(root, 'folder-'))
}

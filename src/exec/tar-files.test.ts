import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pack } from 'tar-stream'
import type { StreamEvent } from './call.ts'
import { createTarFiles } from './tar-files.ts'

const LONG = `${'folder/'.repeat(40)}METADATA`

test('wanted files of an archive are given whole, in whatever pieces it comes, and nothing else', async () => {
  const archive = await archiveOf()
  for (const size of [1, 7, 512, 1_000, archive.length]) {
    assert.deepEqual(
      filesIn(archive, size),
      [
        ['etc/os-release', 'ID=debian\n'],
        [LONG, 'Näme: x\n'],
        ['empty', ''],
      ],
      `in pieces of ${size}`,
    )
  }
})

test('P01 what is no regular file is never read, and no archive gives more than fits into memory', async () => {
  const packed = pack()
  for (const type of ['symlink', 'link', 'character-device', 'block-device', 'fifo', 'directory'] as const) {
    packed.entry({ name: 'etc/os-release', type, linkname: '/etc/passwd' })
  }
  packed.entry({ name: '/../../etc/os-release' }, 'of nobody')
  for (let number = 0; number < 100; number++) {
    packed.entry({ name: `${number}/METADATA` }, Buffer.alloc(2_000_000))
  }
  packed.finalize()
  const found: { path: string; length: number }[] = []
  const target = createTarFiles(
    path => /os-release$|METADATA$/.test(path),
    event => void (event.kind === 'file' && found.push({ path: event.path, length: event.text.length })),
  )
  for await (const chunk of packed) {
    target.write(chunk as Buffer)
  }
  target.end()
  // A path is a name for the reader here, and nothing on a disk.
  assert.equal(found[0]?.path, '../../etc/os-release')
  assert.ok(found.reduce((sum, each) => sum + each.length, 0) <= 64 * 1024 * 1024)
  assert.equal(found.length, 1 + Math.floor((64 * 1024 * 1024) / 2_000_000))
})

test('an archive that ends in the middle is an error, and a huge file is passed over', async () => {
  const archive = await archiveOf()
  assert.throws(() => filesIn(archive.subarray(0, 700), 100), SyntaxError)
  const huge = Buffer.from(archive)
  huge.write('77777777777\0', 124)
  const target = createTarFiles(
    () => true,
    () => assert.fail('it is kept'),
  )
  target.write(huge)
})

function filesIn(archive: Buffer, size: number): string[][] {
  const found: string[][] = []
  const target = createTarFiles(
    path => /os-release$|METADATA$|^empty$/.test(path),
    (event: StreamEvent) => void (event.kind === 'file' && found.push([event.path, event.text])),
  )
  for (let at = 0; at < archive.length; at += size) {
    target.write(archive.subarray(at, at + size))
  }
  target.end()
  return found
}

async function archiveOf(): Promise<Buffer> {
  const packed = pack()
  packed.entry({ name: './etc/os-release' }, 'ID=debian\n')
  packed.entry({ name: 'bin', type: 'directory' })
  packed.entry({ name: 'bin/program' }, Buffer.alloc(3_000, 0xff))
  packed.entry({ name: 'etc/link-os-release', type: 'symlink', linkname: '/etc/passwd' })
  packed.entry({ name: LONG }, 'Näme: x\n')
  packed.entry({ name: 'empty' }, '')
  packed.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of packed) {
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks)
}

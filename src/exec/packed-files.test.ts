import { deepEqual, equal, notEqual, ok, rejects } from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { after, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { extract, type Header } from 'tar-stream'
import type { PackedFile, PackedLayer } from './call.ts'
import { streamLayer, tarOfFiles } from './packed-files.ts'

const root = await mkdtemp(join(tmpdir(), 'fairlead-packed-'))
after(() => rm(root, { recursive: true }))
const large = join(root, 'large.bin')
await writeFile(large, Buffer.alloc(600_000, 7))

const FILES: readonly PackedFile[] = [
  { path: 'start', text: '#!/bin/sh\n', isProgram: true },
  { path: 'data/deep/large.bin', from: large },
  { path: 'data/link', link: '../start' },
]
const LAYER: PackedLayer = {
  files: FILES,
  destination: '/srv/project',
  owner: 1000,
  modifiedMs: 1_700_000_000_000,
}

test('a layer has the files sorted, each folder before what is in it, with one owner, date and two modes', async () => {
  const { entries } = await sent(LAYER)
  deepEqual(
    entries.map(({ name, type, mode, uid, gid, size, linkname }) => [
      name,
      type,
      mode,
      uid,
      gid,
      size,
      linkname,
    ]),
    [
      ['srv/project', 'directory', 0o755, 1000, 1000, 0, null],
      ['srv/project/data', 'directory', 0o755, 1000, 1000, 0, null],
      ['srv/project/data/deep', 'directory', 0o755, 1000, 1000, 0, null],
      ['srv/project/data/deep/large.bin', 'file', 0o644, 1000, 1000, 600_000, null],
      ['srv/project/data/link', 'symlink', 0o777, 1000, 1000, 0, '../start'],
      ['srv/project/start', 'file', 0o755, 1000, 1000, 10, null],
    ],
  )
  ok(entries.every(({ mtime }) => mtime?.getTime() === LAYER.modifiedMs))
})

test('the same files in another order are the same bytes, and what was sent has the told digests', async () => {
  const one = await sent(LAYER)
  const other = await sent({ ...LAYER, files: FILES.toReversed() })
  deepEqual(one.told, other.told)
  equal(one.told.digest, digest(one.bytes))
  equal(one.told.diffId, digest(gunzipSync(one.bytes)))
  equal(one.told.bytes, one.bytes.length)
  const changed = await sent({ ...LAYER, files: [...FILES, { path: 'z', text: '' }] })
  notEqual(changed.told.diffId, one.told.diffId)
})

test('a context of files has the Dockerfile at its root, and files of root', async () => {
  const entries = await entriesOf(await buffer(tarOfFiles([{ path: 'Dockerfile', text: 'FROM x\n' }], 0)))
  deepEqual(
    entries.map(({ name, uid, size }) => [name, uid, size]),
    [['Dockerfile', 0, 7]],
  )
})

test('C41 a file that is a link on the disk, or went away, is not followed and ends the layer', async () => {
  const link = join(root, 'link')
  await symlink('/etc/passwd', link)
  for (const from of [link, join(root, 'gone')]) {
    const { bytes } = streamLayer({ ...LAYER, files: [{ path: 'a', from }] })
    await rejects(buffer(bytes), { code: 'CONTEXT_CHANGED' })
  }
})

async function sent(layer: PackedLayer) {
  const stream = streamLayer(layer)
  const bytes = await buffer(stream.bytes)
  return { bytes, told: stream.sent(), entries: await entriesOf(gunzipSync(bytes)) }
}

async function entriesOf(tar: Buffer): Promise<Header[]> {
  const entries: Header[] = []
  const reader = extract()
  reader.end(tar)
  for await (const entry of reader) {
    entries.push(entry.header)
    entry.resume()
  }
  return entries
}

function digest(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

import assert from 'node:assert/strict'
import { createWriteStream, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { after, before, test } from 'node:test'
import { createGzip } from 'node:zlib'
import { Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption'
import { type Header, pack } from 'tar-stream'
import { FairleadError } from '#lib/errors.ts'
import { readArchive } from './archive.ts'

/** Whoever has a manager's public key can make an archive that it opens: what is in it is not trusted. */
const folder = mkdtempSync(join(tmpdir(), 'fairlead-archive-'))
const target = join(folder, 'target')
const file = join(folder, 'made.age')
let identity = ''

before(async () => {
  identity = await generateX25519Identity()
})
after(() => rmSync(folder, { recursive: true, force: true }))

const LOG = 'logs/a.jsonl'
const HOSTILE: Readonly<Record<string, readonly Partial<Header>[]>> = {
  'a path upwards': [{ name: '../x' }],
  'an absolute path': [{ name: '/abs' }],
  'a path of Windows': [{ name: 'C:\\x' }],
  'a path upwards inside': [{ name: 'logs/../../x' }],
  'a path upwards in an extended header': [{ name: LOG, pax: { path: '../../x' } }],
  'a name with NUL': [{ name: 'logs/a', pax: { path: 'logs/a\0/../../x' } }],
  'a symbolic link': [{ name: LOG, type: 'symlink', linkname: '/etc' }],
  'a folder that is a link, and a file through it': [
    { name: 'logs', type: 'symlink', linkname: '/tmp' },
    { name: LOG },
  ],
  'a hard link to outside': [{ name: LOG, type: 'link', linkname: '/etc/passwd' }],
  'a device': [{ name: LOG, type: 'character-device', devmajor: 1, devminor: 8 }],
  'a pipe': [{ name: LOG, type: 'fifo' }],
  'a file twice': [{ name: LOG }, { name: LOG }],
  'more files than any backup has': Array.from({ length: 12 }, (_, number) => ({ name: `logs/${number}` })),
}

for (const [what, headers] of Object.entries(HOSTILE)) {
  test(`P01 an archive with ${what} is refused, and nothing is outside of its folder`, async () => {
    await make(headers.map(header => [header, header.type === undefined ? 'text' : '']))
    await refused()
  })
}

test('P01 an archive of zeros without end is refused long before they are on the disk', async () => {
  await make([[{ name: LOG }, Buffer.alloc(40_000_000)]])
  await refused()
})

test('P01 an archive with two lists is refused', async () => {
  const list = JSON.stringify({ format: 1, files: [] })
  await make([
    [{ name: 'manifest.json' }, list],
    [{ name: 'manifest.json' }, list],
  ])
  await refused()
})

async function make(entries: readonly (readonly [Partial<Header>, string | Buffer])[]): Promise<void> {
  const archive = pack()
  for (const [header, content] of entries) {
    archive.entry({ name: '', ...header }, content)
  }
  archive.finalize()
  const encrypter = new Encrypter()
  encrypter.addRecipient(await identityToRecipient(identity))
  const packed = Readable.toWeb(archive.pipe(createGzip())) as ReadableStream<Uint8Array>
  await pipeline(Readable.fromWeb((await encrypter.encrypt(packed)) as never), createWriteStream(file))
}

async function refused(): Promise<void> {
  const bounds = { entries: 10, bytes: 1_000_000, ratio: 20 }
  await assert.rejects(
    readArchive(file, { opening: { identities: [identity] }, folder: target, bounds }),
    // Not for want of its list, which comes last.
    error =>
      error instanceof FairleadError &&
      error.code === 'BACKUP_DAMAGED' &&
      !/its end is missing/.test(error.message),
  )
  assert.deepEqual(
    readdirSync(folder).filter(each => existsSync(join(folder, each)) && each !== 'target'),
    ['made.age'],
  )
  rmSync(target, { recursive: true, force: true })
}

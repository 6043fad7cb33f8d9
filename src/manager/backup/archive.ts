import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { extract, type Pack, pack } from 'tar-stream'
import { BackupManifest, type BackupOpening, type CreateBackup } from '#contract/backup.ts'
import { check } from '#lib/check.ts'
import { FairleadError } from '#lib/errors.ts'
import { readFrom, sizeOf, writeNew } from './archive-file.ts'
import { decrypterFor, encrypterFor } from './archive-keys.ts'
import { BACKUP_DAMAGED, BACKUP_NOT_OPENED } from './errors.ts'

/** A file that goes into a backup: as many bytes of it as it had when the backup came to it. */
export interface Source {
  /** In the backup. */
  readonly name: string
  readonly path: string
}

type Facts = Omit<BackupManifest, 'format' | 'files'>

const MANIFEST = 'manifest.json'
const MOST_MANIFEST_BYTES = 64 * 1024 * 1024
/** More than any backup has. `ratio`: so many times its own size it may hold, where that is more than `bytes`. */
const BOUNDS = { entries: 500_000, bytes: 2 ** 30, ratio: 200 }
/** What may be in a backup. A name that is none of these never becomes a path. */
const NAMES =
  /^(?:fairlead\.db|secret\.key|identity\/(?:earlier\/)?(?:identity|tls)\.json|logs\/[\w-][\w.-]*(?:\/[\w-][\w.-]*)?)$/

/**
 * Writes the files as a tar archive, packed by gzip and sealed by age, so that "age -d" and "tar xz" open it without
 * Fairlead. Each file is read once; the manifest with the checksums is the last one.
 */
export async function writeArchive(
  file: string,
  {
    sources,
    facts,
    key,
    descriptor,
  }: {
    sources: readonly Source[]
    facts: Facts
    key: Pick<CreateBackup, 'passphrase' | 'recipients'>
    /** Of the file, when it is open. */
    descriptor?: number | undefined
  },
): Promise<BackupManifest> {
  const encrypter = encrypterFor(key)
  const archive = pack()
  const gzip = createGzip()
  const sealed = await encrypter.encrypt(Readable.toWeb(gzip) as ReadableStream<Uint8Array>)
  const filling = fill(archive, sources, facts).catch(error => {
    archive.destroy(error)
    throw error
  })
  const [manifest] = await Promise.all([
    filling,
    pipeline(archive, gzip),
    pipeline(Readable.fromWeb(sealed as never), writeNew({ file, descriptor })),
  ])
  return manifest
}

/** Reads a whole backup and checks everything in it; with a folder its files are written there. */
export async function readArchive(
  file: string,
  {
    opening,
    folder,
    bounds = BOUNDS,
    descriptor,
  }: {
    opening: BackupOpening
    folder?: string
    bounds?: typeof BOUNDS
    /** Of the file, when it is open. */
    descriptor?: number | undefined
  },
): Promise<BackupManifest> {
  let room = Math.max(bounds.bytes, sizeOf({ file, descriptor }) * bounds.ratio)
  const counted = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      room -= chunk.length
      if (room < 0) {
        throw BACKUP_DAMAGED(file, 'far more is in it than it could have')
      }
      yield chunk
    }
  }
  const sealed = Readable.toWeb(readFrom({ file, descriptor })) as ReadableStream<Uint8Array>
  const opened = await decrypterFor(file, opening)
    .decrypt(sealed)
    .catch(error => {
      throw BACKUP_NOT_OPENED(file, (error as Error).message).with({ cause: error })
    })
  const found = new Map<string, BackupManifest['files'][number]>()
  const archive = extract()
  async function readEntries(): Promise<BackupManifest | undefined> {
    let manifest: BackupManifest | undefined
    for await (const entry of archive) {
      const { name, type } = entry.header
      const content = counted(entry as AsyncIterable<Buffer>)
      if (name === MANIFEST && !manifest) {
        manifest = readManifest(await textOf(content, file), file)
        continue
      }
      if (type !== 'file' || !NAMES.test(name) || found.has(name) || found.size === bounds.entries) {
        throw BACKUP_DAMAGED(file, `it holds ${JSON.stringify(name)}`)
      }
      const path = folder === undefined ? undefined : join(folder, name)
      found.set(name, { name, ...(await keep(content, path)) })
    }
    return manifest
  }
  let manifest: BackupManifest | undefined
  try {
    ;[manifest] = await Promise.all([
      readEntries(),
      pipeline(Readable.fromWeb(opened as never), createGunzip(), archive),
    ])
  } catch (error) {
    throw error instanceof FairleadError
      ? error
      : BACKUP_DAMAGED(file, (error as Error).message).with({ cause: error })
  }
  if (!manifest) {
    throw BACKUP_DAMAGED(file, 'its end is missing')
  }
  const wrong = manifest.files.find(({ name, bytes, sha256 }) => {
    const file = found.get(name)
    return file?.bytes !== bytes || file.sha256 !== sha256
  })
  if (wrong || manifest.files.length !== found.size) {
    throw BACKUP_DAMAGED(file, `${wrong?.name ?? 'a file'} is not what its list says`)
  }
  return manifest
}

async function fill(archive: Pack, sources: readonly Source[], facts: Facts): Promise<BackupManifest> {
  const files: BackupManifest['files'][number][] = []
  for (const source of sources) {
    const added = await addFile(archive, source)
    files.push(...(added ? [added] : []))
  }
  const manifest: BackupManifest = { format: 1, ...facts, files }
  await new Promise<void>((resolve, reject) =>
    archive.entry({ name: MANIFEST, mode: 0o600 }, JSON.stringify(manifest), error =>
      error ? reject(error) : resolve(),
    ),
  )
  archive.finalize()
  return manifest
}

/** Undefined when it is gone: old logs are deleted while a backup is made. */
async function addFile(
  archive: Pack,
  { name, path }: Source,
): Promise<BackupManifest['files'][number] | undefined> {
  const file = await open(path).catch(error => {
    if (error.code === 'ENOENT' && name.startsWith('logs/')) {
      return undefined
    }
    throw error
  })
  if (!file) {
    return undefined
  }
  try {
    const { size } = await file.stat()
    const entry = archive.entry({ name, size, mode: 0o600 })
    const content =
      size === 0 ? Readable.from([]) : file.createReadStream({ start: 0, end: size - 1, autoClose: false })
    const hash = createHash('sha256')
    await pipeline(content, hashed(hash), entry as unknown as Writable)
    return { name, bytes: size, sha256: hash.digest('hex') }
  } finally {
    await file.close()
  }
}

function hashed(hash: { update(chunk: Buffer): unknown }) {
  return async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      hash.update(chunk)
      yield chunk
    }
  }
}

async function keep(entry: AsyncIterable<Buffer>, path: string | undefined) {
  const hash = createHash('sha256')
  let bytes = 0
  async function* counted() {
    for await (const chunk of entry) {
      hash.update(chunk)
      bytes += chunk.length
      yield chunk
    }
  }
  if (path === undefined) {
    for await (const _ of counted()) {
      // Only counted.
    }
  } else {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    await pipeline(counted(), writeNew({ file: path }))
  }
  return { bytes, sha256: hash.digest('hex') }
}

async function textOf(entry: AsyncIterable<Buffer>, file: string): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of entry) {
    bytes += chunk.length
    if (bytes > MOST_MANIFEST_BYTES) {
      throw BACKUP_DAMAGED(file, 'its list is too long')
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function readManifest(text: string, file: string): BackupManifest {
  try {
    return check(BackupManifest, JSON.parse(text), 'Its list')
  } catch (error) {
    throw BACKUP_DAMAGED(file, (error as Error).message).with({ cause: error })
  }
}

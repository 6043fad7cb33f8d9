import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import { Readable } from 'node:stream'
import { createGzip } from 'node:zlib'
import type { PackedFile, PackedLayer, SentLayer } from './call.ts'
import { type TarEntry, tarStream } from './tar-stream.ts'

/** Files as a build context: in a fixed order, with fixed times and owners. */
export function tarOfFiles(files: readonly PackedFile[], modifiedMs: number): Readable {
  return tarStream(entriesOf(files, { prefix: '', owner: 0, modifiedMs }))
}

export interface PackedStream {
  readonly bytes: Readable
  /** Known once all bytes were read. */
  readonly sent: () => SentLayer
}

/** Files as a layer of an image, compressed. The same files give the same bytes. */
export function streamLayer({ files, destination, owner, modifiedMs }: PackedLayer): PackedStream {
  const plain = createHash('sha256')
  const compressed = createHash('sha256')
  const prefix = destination.replace(/^\/|\/$/g, '')
  let bytes = 0
  async function* tarred() {
    for await (const chunk of tarStream(entriesOf(files, { prefix, owner, modifiedMs }))) {
      plain.update(chunk as Buffer)
      yield chunk as Buffer
    }
  }
  async function* counted() {
    const gzip = createGzip({ level: 6 })
    const source = Readable.from(tarred(), { objectMode: false })
    source.on('error', error => gzip.destroy(error))
    for await (const chunk of source.pipe(gzip)) {
      compressed.update(chunk as Buffer)
      bytes += (chunk as Buffer).length
      yield chunk as Buffer
    }
  }
  let sent: SentLayer | undefined
  return {
    bytes: Readable.from(counted(), { objectMode: false }),
    sent: () => {
      sent ??= {
        digest: `sha256:${compressed.digest('hex')}`,
        diffId: `sha256:${plain.digest('hex')}`,
        bytes,
      }
      return sent
    },
  }
}

interface Look {
  /** Folder in the tar. */
  readonly prefix: string
  readonly owner: number
  readonly modifiedMs: number
}

/** Sorted, each folder before what is in it. A folder above the prefix is not named: it stays as the image has it. */
function entriesOf(files: readonly PackedFile[], { prefix, owner, modifiedMs }: Look): TarEntry[] {
  const common = { mtime: new Date(modifiedMs), uid: owner, gid: owner }
  const folders = new Set(prefix === '' ? [] : [prefix])
  const entries = files.map((file): TarEntry => {
    const name = posix.join(prefix, file.path)
    for (let above = posix.dirname(name); above !== '.' && above.length > prefix.length; ) {
      folders.add(above)
      above = posix.dirname(above)
    }
    const header = { ...common, name }
    return 'link' in file
      ? { header: { ...header, type: 'symlink', linkname: file.link, mode: 0o777 } }
      : {
          header: { ...header, type: 'file', mode: file.isProgram ? 0o755 : 0o644 },
          ...('text' in file ? { text: file.text } : { from: file.from }),
        }
  })
  for (const name of folders) {
    entries.push({ header: { ...common, name, type: 'directory', mode: 0o755 } })
  }
  return entries.sort((a, b) => (a.header.name < b.header.name ? -1 : 1))
}

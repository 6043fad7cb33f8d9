import { lstat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Header, type Pack, pack } from 'tar-stream'
import { openFile, readWhole } from './context-files.ts'
import { CONTEXT_CHANGED } from './errors.ts'
import { fileError, systemCode } from './file-error.ts'

/** Larger files go in pieces, so that memory stays flat. */
const WHOLE_FILE_BYTES = 256 * 1024
/** So many small files are read while an earlier one is sent. */
const READ_AHEAD = 16

export interface TarEntry {
  readonly header: Partial<Header> & { readonly name: string }
  readonly text?: string
  /** Absolute path of a file: what is in it, and its size when the header has none. */
  readonly from?: string
}

/** A tar of these entries as it is made; an entry that cannot be read ends the stream with the error. */
export function tarStream(entries: AsyncIterable<TarEntry> | Iterable<TarEntry>): Readable {
  const tar = pack()
  const filling = fill(tar, entries)
  filling.catch(error => tar.destroy(error))
  return Readable.from(bytesOf(tar, filling), { objectMode: false })
}

async function* bytesOf(tar: Pack, filling: Promise<void>): AsyncGenerator<Uint8Array> {
  try {
    yield* tar as AsyncIterable<Uint8Array>
  } catch (error) {
    // The tar only knows that an entry came too short; filling it says why.
    await filling
    throw error
  }
}

async function fill(tar: Pack, entries: AsyncIterable<TarEntry> | Iterable<TarEntry>): Promise<void> {
  for await (const { header, content, from } of inAdvance(entries, loaded)) {
    await (content === 'in pieces' ? putInPieces(tar, header, from) : put(tar, header, content))
  }
  tar.finalize()
}

/** Starts the work of some items before the first one is taken, and gives the results in their order. */
async function* inAdvance<A, B>(
  items: AsyncIterable<A> | Iterable<A>,
  start: (item: A) => Promise<B>,
): AsyncGenerator<B> {
  const started: Promise<B>[] = []
  for await (const item of items) {
    const work = start(item)
    // Seen where it is awaited; until then it must not count as unhandled.
    work.catch(() => {})
    started.push(work)
    if (started.length > READ_AHEAD) {
      yield await (started.shift() as Promise<B>)
    }
  }
  for (const work of started) {
    yield await work
  }
}

interface Loaded {
  readonly header: TarEntry['header']
  readonly content?: Buffer | 'in pieces'
  readonly from: string
}

async function loaded({ header, text, from }: TarEntry): Promise<Loaded> {
  if (text !== undefined) {
    const content = Buffer.from(text)
    return { header: { ...header, size: content.length }, content, from: '' }
  }
  if (from === undefined) {
    return { header, from: '' }
  }
  const size = header.size ?? (await sizeOf(from))
  return {
    header: { ...header, size },
    content: size > WHOLE_FILE_BYTES ? 'in pieces' : await readWhole(from, size),
    from,
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await lstat(path)).size
  } catch (error) {
    throw systemCode(error) === 'ENOENT' ? CONTEXT_CHANGED(path) : fileError('read', path, error)
  }
}

async function putInPieces(tar: Pack, header: TarEntry['header'], path: string): Promise<void> {
  const file = await openFile(path)
  try {
    // A file that grew is cut at the size in its header; one that shrank is an error of the tar.
    const end = (header.size ?? 0) - 1
    const content = file.createReadStream({ end, autoClose: false, highWaterMark: WHOLE_FILE_BYTES })
    await pipeline(content, tar.entry(header) as unknown as NodeJS.WritableStream)
  } catch (error) {
    throw error instanceof Error && error.message === 'Size mismatch'
      ? CONTEXT_CHANGED(path)
      : fileError('read', path, error)
  } finally {
    await file.close()
  }
}

function put(tar: Pack, header: TarEntry['header'], content?: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (error?: Error | null) => (error ? reject(error) : resolve())
    if (content) {
      tar.entry(header, content, done)
    } else {
      tar.entry(header, done)
    }
  })
}

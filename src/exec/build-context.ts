import type { Stats } from 'node:fs'
import { lstat, readdir, readlink, realpath } from 'node:fs/promises'
import { dirname, join, posix } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Header, type Pack, pack } from 'tar-stream'
import type { DockerIgnore, IgnoreFinding } from '#formats/docker-ignore.ts'
import { ignoreOf, openFile, readWhole } from './context-files.ts'
import { CONTEXT_CHANGED, DOCKERFILE_MISSING, FOLDER_MISSING } from './errors.ts'
import { fileError } from './file-error.ts'

/** Larger files go in pieces, so that memory stays flat. */
const WHOLE_FILE_BYTES = 256 * 1024
/** So many small files are read while an earlier one is sent. */
const READ_AHEAD = 16

interface BuildContext {
  /** Absolute path of the folder. */
  readonly context: string
  /** Path of the Dockerfile in it. */
  readonly dockerfile: string
}

/**
 * A build context as a tar: in a fixed order and with fixed times and owners, so that the same content is the same
 * bytes. Symbolic links are stored as links, `.git` and what .dockerignore names is left out, the Dockerfile never is.
 */
export async function tarOf(given: BuildContext): Promise<Readable> {
  const context = await realpath(given.context).catch(() => {
    throw FOLDER_MISSING(given.context)
  })
  const dockerfile = posix.normalize(given.dockerfile)
  await requireDockerfile(context, dockerfile)
  const ignore = await ignoreOf(context, dockerfile)
  const tar = pack()
  const filling = fill(tar, entriesOf({ context, dockerfile, ignore }))
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

async function requireDockerfile(context: string, dockerfile: string): Promise<void> {
  const folder = join(context, dirname(dockerfile))
  // A folder of the way that is a symbolic link is not in the tar, and could lead out of the context.
  const real = await realpath(folder).catch(() => undefined)
  const stats = await lstat(join(context, dockerfile)).catch(() => undefined)
  const inside =
    !dockerfile.startsWith('../') && !posix.isAbsolute(dockerfile) && real === folder.replace(/\/$/, '')
  if (!inside || !stats || stats.isDirectory()) {
    throw DOCKERFILE_MISSING(dockerfile)
  }
}

type TarHeader = Partial<Header> & { readonly name: string }

interface Walk {
  readonly context: string
  readonly dockerfile: string
  readonly ignore: DockerIgnore
}

interface Folder {
  /** Relative to the context, '' for the context itself. */
  readonly path: string
  readonly finding: IgnoreFinding | undefined
}

interface Entry {
  readonly path: string
  readonly absolute: string
  readonly stats: Stats
}

/** What goes into the tar, folders before what is in them. */
async function* entriesOf(
  walk: Walk,
  folder: Folder = { path: '', finding: undefined },
): AsyncGenerator<Entry> {
  const folderPath = join(walk.context, folder.path)
  const names = (await readdir(folderPath)).filter(name => name !== '.git').toSorted()
  const found = await Promise.all(names.map(name => lstat(join(folderPath, name))))
  for (const [i, stats] of found.entries()) {
    const path = posix.join(folder.path, names[i] ?? '')
    const absolute = join(walk.context, path)
    const finding = walk.ignore.check(path, folder.finding)
    const kept = !finding.ignored || path === walk.dockerfile
    if (!stats.isDirectory()) {
      // Sockets, pipes and devices are no content.
      if (kept && (stats.isFile() || stats.isSymbolicLink())) {
        yield { path, absolute, stats }
      }
    } else if (kept) {
      yield { path, absolute, stats }
      yield* entriesOf(walk, { path, finding })
    } else if (walk.dockerfile.startsWith(`${path}/`) || walk.ignore.mayHoldKept(path)) {
      yield* withFolderFirst({ path, absolute, stats }, entriesOf(walk, { path, finding }))
    }
  }
}

/** A left-out folder is only there when something in it is. */
async function* withFolderFirst(folder: Entry, entries: AsyncIterable<Entry>): AsyncGenerator<Entry> {
  let first = true
  for await (const entry of entries) {
    if (first) {
      yield folder
      first = false
    }
    yield entry
  }
}

async function fill(tar: Pack, entries: AsyncIterable<Entry>): Promise<void> {
  for await (const { header, content, absolute } of inAdvance(entries, loaded)) {
    await (content === 'in pieces' ? putInPieces(tar, header, absolute) : put(tar, header, content))
  }
  tar.finalize()
}

/** Starts the work of some items before the first one is taken, and gives the results in their order. */
async function* inAdvance<A, B>(items: AsyncIterable<A>, start: (item: A) => Promise<B>): AsyncGenerator<B> {
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
  readonly header: TarHeader
  readonly content?: Buffer | 'in pieces'
  readonly absolute: string
}

async function loaded({ path, absolute, stats }: Entry): Promise<Loaded> {
  const header = { name: path, mtime: new Date(0), uid: 0, gid: 0 }
  if (stats.isSymbolicLink()) {
    const linkname = await readlink(absolute)
    return { absolute, header: { ...header, type: 'symlink', linkname, mode: 0o777 } }
  }
  if (stats.isDirectory()) {
    return { absolute, header: { ...header, type: 'directory', mode: 0o755 } }
  }
  const mode = stats.mode & 0o111 ? 0o755 : 0o644
  return {
    absolute,
    header: { ...header, type: 'file', mode, size: stats.size },
    content: stats.size > WHOLE_FILE_BYTES ? 'in pieces' : await readWhole(absolute, stats.size),
  }
}

async function putInPieces(tar: Pack, header: TarHeader, path: string): Promise<void> {
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

function put(tar: Pack, header: TarHeader, content?: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (error?: Error | null) => (error ? reject(error) : resolve())
    if (content) {
      tar.entry(header, content, done)
    } else {
      tar.entry(header, done)
    }
  })
}

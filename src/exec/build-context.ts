import { constants, type Stats } from 'node:fs'
import { lstat, open, readdir, readlink, realpath } from 'node:fs/promises'
import { dirname, join, posix } from 'node:path'
import { Readable } from 'node:stream'
import { type Headers, type Pack, pack } from 'tar-stream'
import { type DockerIgnore, type IgnoreFinding, parseDockerIgnore } from './docker-ignore.ts'
import { CONTEXT_CHANGED, DOCKERFILE_MISSING, FILE_TOO_LARGE, FOLDER_MISSING } from './errors.ts'
import { systemCode } from './file-error.ts'

/** Larger files go in pieces, so that memory stays flat. */
const WHOLE_FILE_BYTES = 256 * 1024
const MAX_IGNORE_BYTES = 256 * 1024

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
  // Ends the tar with its error, which reaches whoever reads it.
  fill(tar, entriesOf({ context, dockerfile, ignore })).catch(error => tar.destroy(error))
  return Readable.from(tar, { objectMode: false })
}

async function requireDockerfile(context: string, dockerfile: string): Promise<void> {
  const folder = join(context, dirname(dockerfile))
  // A folder of the way that is a symbolic link is not in the tar, and could lead out of the context.
  const real = await realpath(folder).catch(() => undefined)
  const stats = await lstat(join(context, dockerfile)).catch(() => undefined)
  const inside = !dockerfile.startsWith('../') && !posix.isAbsolute(dockerfile) && real === folder.replace(/\/$/, '')
  if (!inside || !stats || stats.isDirectory()) {
    throw DOCKERFILE_MISSING(dockerfile)
  }
}

async function ignoreOf(context: string, dockerfile: string): Promise<DockerIgnore> {
  for (const name of [`${dockerfile}.dockerignore`, '.dockerignore']) {
    const text = await textOf(join(context, name))
    if (text !== undefined) {
      return parseDockerIgnore(text, name)
    }
  }
  return parseDockerIgnore('', '.dockerignore')
}

async function textOf(path: string): Promise<string | undefined> {
  const stats = await lstat(path).catch(() => undefined)
  if (!stats?.isFile()) {
    return undefined
  }
  if (stats.size > MAX_IGNORE_BYTES) {
    throw FILE_TOO_LARGE(path, stats.size, MAX_IGNORE_BYTES)
  }
  return (await readWhole(path, stats.size)).toString('utf8')
}

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
async function* entriesOf(walk: Walk, folder: Folder = { path: '', finding: undefined }): AsyncGenerator<Entry> {
  const names = await readdir(join(walk.context, folder.path))
  for (const name of names.toSorted()) {
    if (name === '.git') {
      continue
    }
    const path = folder.path === '' ? name : `${folder.path}/${name}`
    const absolute = join(walk.context, path)
    const finding = walk.ignore.check(path, folder.finding)
    const kept = !finding.ignored || path === walk.dockerfile
    const stats = await lstat(absolute)
    if (!stats.isDirectory()) {
      if (kept) {
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
  for await (const { path, absolute, stats } of entries) {
    const header = { name: path, mtime: new Date(0), uid: 0, gid: 0 }
    if (stats.isSymbolicLink()) {
      await put(tar, { ...header, type: 'symlink', linkname: await readlink(absolute), mode: 0o777 })
    } else if (stats.isDirectory()) {
      await put(tar, { ...header, type: 'directory', mode: 0o755 })
    } else if (stats.isFile()) {
      const mode = stats.mode & 0o111 ? 0o755 : 0o644
      await putFile(tar, { ...header, type: 'file', mode, size: stats.size }, absolute)
    }
    // Sockets, pipes and devices are no content.
  }
  tar.finalize()
}

async function putFile(tar: Pack, header: Headers & { size: number }, path: string): Promise<void> {
  if (header.size <= WHOLE_FILE_BYTES) {
    await put(tar, header, await readWhole(path, header.size))
    return
  }
  const file = await openFile(path)
  try {
    const done = Promise.withResolvers<void>()
    const entry = tar.entry(header, error => (error ? done.reject(error) : done.resolve()))
    // Seen where it is awaited; until then it must not count as unhandled.
    done.promise.catch(() => {})
    for (let at = 0; at < header.size; ) {
      const size = Math.min(WHOLE_FILE_BYTES, header.size - at)
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(size), 0, size, at)
      if (bytesRead === 0) {
        throw CONTEXT_CHANGED(path)
      }
      at += bytesRead
      if (!entry.write(buffer.subarray(0, bytesRead))) {
        await Promise.race([new Promise(resolve => entry.once('drain', resolve)), done.promise])
      }
    }
    entry.end()
    await done.promise
  } finally {
    await file.close()
  }
}

async function readWhole(path: string, size: number): Promise<Buffer> {
  const file = await openFile(path)
  try {
    const content = Buffer.allocUnsafe(size)
    let at = 0
    while (at < size) {
      const { bytesRead } = await file.read(content, at, size - at, at)
      if (bytesRead === 0) {
        throw CONTEXT_CHANGED(path)
      }
      at += bytesRead
    }
    return content
  } finally {
    await file.close()
  }
}

async function openFile(path: string) {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  } catch (error) {
    throw systemCode(error) === 'ELOOP' || systemCode(error) === 'ENOENT' ? CONTEXT_CHANGED(path) : error
  }
}

function put(tar: Pack, header: Headers, content: Buffer | '' = ''): Promise<void> {
  return new Promise((resolve, reject) => {
    tar.entry(header, content as Buffer, error => (error ? reject(error) : resolve()))
  })
}

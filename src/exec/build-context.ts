import type { Stats } from 'node:fs'
import { lstat, readdir, readlink, realpath } from 'node:fs/promises'
import { dirname, join, posix } from 'node:path'
import type { Readable } from 'node:stream'
import type { DockerIgnore, IgnoreFinding } from '#formats/docker-ignore.ts'
import { ignoreOf } from './context-files.ts'
import { DOCKERFILE_MISSING, FOLDER_MISSING } from './errors.ts'
import { type TarEntry, tarStream } from './tar-stream.ts'

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
  return tarStream(inTar(entriesOf({ context, dockerfile, ignore })))
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

async function* inTar(entries: AsyncIterable<Entry>): AsyncGenerator<TarEntry> {
  for await (const { path, absolute, stats } of entries) {
    const header = { name: path, mtime: new Date(0), uid: 0, gid: 0 }
    if (stats.isSymbolicLink()) {
      const linkname = await readlink(absolute)
      yield { header: { ...header, type: 'symlink', linkname, mode: 0o777 } }
    } else if (stats.isDirectory()) {
      yield { header: { ...header, type: 'directory', mode: 0o755 } }
    } else {
      const mode = stats.mode & 0o111 ? 0o755 : 0o644
      yield { header: { ...header, type: 'file', mode, size: stats.size }, from: absolute }
    }
  }
}

import { constants, type Stats } from 'node:fs'
import { lstat, mkdir, open, readdir, rename, rm, statfs } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, normalize, relative } from 'node:path'
import { diskSpace } from '#lib/disk-space.ts'
import { randomText } from '#lib/id.ts'
import type { FileCall, FileResult } from './call.ts'
import type { CallContext } from './call-context.ts'
import { copyTree, syncFolder } from './copy-tree.ts'
import { FILE_FAILED, FILE_TOO_LARGE, PATH_LEAVES_WORKSPACE } from './errors.ts'
import { fileError, systemCode } from './file-error.ts'

/** Performs a file call. What it writes is on the disk, whole, before this returns. */
export async function performFile<T>(
  call: FileCall<T>,
  { workspace }: Pick<CallContext, 'workspace'>,
): Promise<T> {
  try {
    const root = 'within' in call ? (call.within ?? workspace) : workspace
    for (const path of pathsOf(call)) {
      await refuseWayOut(path, root)
    }
    return call.read(await operate(call))
  } catch (error) {
    throw fileError(call.operation, call.path, error)
  }
}

function operate(call: FileCall<unknown>): Promise<FileResult> {
  switch (call.operation) {
    case 'read':
      return read(call.path, call.maxBytes)
    case 'write':
      return write(call.path, call.content, call.mode ?? 0o600)
    case 'make-folder':
      return makeFolder(call.path, call.mode ?? 0o700)
    case 'rename':
      return move(call.path, call.to)
    case 'copy':
      return copy(call.path, call.to)
    case 'remove':
      return remove(call.path)
    case 'list':
      return list(call.path)
    case 'stat':
      return look(call.path)
  }
}

async function read(path: string, maxBytes: number): Promise<FileResult> {
  // O_NONBLOCK: opening a named pipe would wait for a writer.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  const file = await ifThere(open(path, flags))
  if (!file) {
    return { missing: true }
  }
  try {
    const stats = await file.stat()
    if (!stats.isFile()) {
      throw FILE_FAILED('read', path, 'not a file')
    }
    if (stats.size > maxBytes) {
      throw FILE_TOO_LARGE(path, stats.size, maxBytes)
    }
    const text = await file.readFile('utf8')
    return { missing: false, kind: 'file', text, bytes: stats.size, modifiedMs: stats.mtimeMs }
  } finally {
    await file.close()
  }
}

/** A reader sees the old content or the new, also after a power cut: new file, fsync, rename, fsync of the folder. */
async function write(path: string, content: string, mode: number): Promise<FileResult> {
  const fresh = join(dirname(path), `.${basename(path)}.${randomText(6)}.tmp`)
  try {
    const file = await open(fresh, 'wx', mode)
    try {
      await file.chmod(mode)
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(fresh, path)
  } catch (error) {
    await rm(fresh, { force: true })
    throw error
  }
  await syncFolder(dirname(path))
  return { missing: false, kind: 'file', bytes: Buffer.byteLength(content) }
}

async function makeFolder(path: string, mode: number): Promise<FileResult> {
  await mkdir(path, { recursive: true, mode })
  return { missing: false, kind: 'folder' }
}

async function move(path: string, to: string): Promise<FileResult> {
  const moved = await ifThere(rename(path, to).then(() => 'moved'))
  if (!moved) {
    return { missing: true }
  }
  await syncFolder(dirname(to))
  if (dirname(path) !== dirname(to)) {
    await syncFolder(dirname(path))
  }
  return { missing: false }
}

async function copy(path: string, to: string): Promise<FileResult> {
  if (!(await ifThere(lstat(path)))) {
    return { missing: true }
  }
  await copyTree(path, to)
  return { missing: false }
}

/** With everything below it; a symbolic link is removed itself, never what it points to. */
async function remove(path: string): Promise<FileResult> {
  const missing = (await ifThere(lstat(path))) === undefined
  await rm(path, { recursive: true, force: true, maxRetries: 3 })
  return { missing }
}

async function list(path: string): Promise<FileResult> {
  const names = await ifThere(readdir(path))
  return names ? { missing: false, kind: 'folder', names: names.toSorted() } : { missing: true }
}

async function look(path: string): Promise<FileResult> {
  const stats = await ifThere(lstat(path))
  if (!stats) {
    return { missing: true }
  }
  return {
    missing: false,
    kind: kindOf(stats),
    bytes: stats.size,
    modifiedMs: stats.mtimeMs,
    disk: diskSpace(await statfs(stats.isSymbolicLink() ? dirname(path) : path)),
  }
}

function kindOf(stats: Stats): NonNullable<FileResult['kind']> {
  if (stats.isSymbolicLink()) {
    return 'link'
  }
  if (stats.isDirectory()) {
    return 'folder'
  }
  return stats.isFile() ? 'file' : 'other'
}

function pathsOf(call: FileCall<unknown>): string[] {
  return 'to' in call ? [call.path, call.to] : [call.path]
}

/** Each folder between the workspace and the path must be a real one: a link there could lead into another app's files. */
async function refuseWayOut(path: string, workspace: string | undefined): Promise<void> {
  if (!isAbsolute(path) || normalize(path) !== path) {
    throw PATH_LEAVES_WORKSPACE(path)
  }
  if (workspace === undefined) {
    return
  }
  const parts = relative(workspace, path).split('/')
  if (parts[0] === '' || parts[0] === '..') {
    throw PATH_LEAVES_WORKSPACE(path)
  }
  let folder = workspace
  for (const part of parts.slice(0, -1)) {
    folder = join(folder, part)
    const stats = await ifThere(lstat(folder))
    if (!stats) {
      return
    }
    if (!stats.isDirectory()) {
      throw PATH_LEAVES_WORKSPACE(path)
    }
  }
}

async function ifThere<V>(work: Promise<V>): Promise<V | undefined> {
  try {
    return await work
  } catch (error) {
    if (systemCode(error) === 'ENOENT') {
      return undefined
    }
    throw error
  }
}

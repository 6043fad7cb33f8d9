import { constants } from 'node:fs'
import { chmod, copyFile, lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { randomText } from '#lib/id.ts'

/**
 * Copies a file, or a folder with all in it, so that `to` is there whole or not at all. Only regular files and folders
 * are copied, with mode 0755 or 0644: no links out of the copy, no devices, nobody's special bits.
 */
export async function copyTree(path: string, to: string): Promise<void> {
  const fresh = join(dirname(to), `.${basename(to)}.${randomText(6)}.tmp`)
  try {
    await copyEntry(path, fresh)
    await rename(fresh, to)
  } catch (error) {
    await rm(fresh, { recursive: true, force: true })
    throw error
  }
  await syncFolder(dirname(to))
}

/** Makes names that were added to or taken from a folder survive a power cut. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

async function copyEntry(path: string, to: string): Promise<void> {
  const stats = await lstat(path)
  if (stats.isDirectory()) {
    await mkdir(to)
    await chmod(to, 0o755)
    for (const name of await readdir(path)) {
      await copyEntry(join(path, name), join(to, name))
    }
    return
  }
  if (stats.isFile()) {
    await copyFile(path, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
    await chmod(to, stats.mode & 0o111 ? 0o755 : 0o644)
    await syncFile(to)
  }
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r')
  try {
    await file.datasync()
  } finally {
    await file.close()
  }
}

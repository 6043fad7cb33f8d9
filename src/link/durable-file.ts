import { closeSync, constants, fsyncSync, openSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { randomText } from '#lib/id.ts'

/** Replaces a file so that a crash leaves the old or the new content, never a part, with exactly this mode. */
export function writeDurably(file: string, content: string, mode: number): void {
  const temporary = `${file}.${randomText(6)}`
  // Written through instead of fsync, which Node's permission model does not allow (the manager runs under it).
  const { O_CREAT, O_EXCL, O_WRONLY, O_SYNC } = constants
  const descriptor = openSync(temporary, O_CREAT | O_EXCL | O_WRONLY | O_SYNC, mode)
  try {
    writeSync(descriptor, content)
  } finally {
    closeSync(descriptor)
  }
  moveDurably(temporary, file)
}

/** Puts a file that is on the disk in the place of another one, and that on the disk as well. */
export function moveDurably(from: string, to: string): void {
  renameSync(from, to)
  if (process.permission === undefined) {
    syncFolder(dirname(to))
  }
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { randomText } from '#lib/id.ts'

/** Replaces a file so that a crash leaves the old or the new content, never a part, with exactly this mode. */
export function writeDurably(file: string, content: string, mode: number): void {
  const temporary = `${file}.${randomText(6)}`
  const descriptor = openSync(temporary, 'wx', mode)
  try {
    writeSync(descriptor, content)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  renameSync(temporary, file)
  syncFolder(dirname(file))
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

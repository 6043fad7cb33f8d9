import { chownSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { isBusy, storeError } from './store-error.ts'

/** A lock that the operating system gives back when the process dies; undefined while somebody else has it. */
export function takeLock(file: string): { close(): void } | undefined {
  let lock: DatabaseSync | undefined
  try {
    lock = new DatabaseSync(file)
    lock.exec('begin exclusive')
    return lock
  } catch (error) {
    lock?.close()
    if (isBusy(error)) {
      return undefined
    }
    throw storeError(error, file)
  }
}

/** What root makes in the folder of somebody else is that one's. */
export function giveToOwner(path: string, folder = dirname(path)): void {
  if (process.getuid?.() === 0) {
    const { uid, gid } = statSync(folder)
    chownSync(path, uid, gid)
  }
}

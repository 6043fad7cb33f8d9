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

import type { FairleadError } from '#lib/errors.ts'
import { STORE_DAMAGED, STORE_FULL, STORE_LOCKED, STORE_UNAVAILABLE, STORE_UNWRITABLE } from './errors.ts'

/** SQLite's primary result codes that say something about the disk, not about a statement. */
const BUSY = 5
const READ_ONLY = 8
const IO_ERROR = 10
const CORRUPT = 11
const FULL = 13
const CANNOT_OPEN = 14
const NOT_A_DATABASE = 26
const CONSTRAINT = 19

/** What an error of SQLite means for the person who runs the manager; an error of a statement stays as it is. */
export function storeError(error: unknown, file: string): unknown {
  const kind = describe(error, file)
  return kind ? kind.with({ cause: error }) : error
}

/** True if the store cannot be used now: nothing is wrong with the work, which is to be tried again later. */
export function isStoreTrouble(error: unknown): boolean {
  return [STORE_FULL, STORE_LOCKED, STORE_UNAVAILABLE, STORE_UNWRITABLE].some(kind => kind.matches(error))
}

/** True if a statement was refused by a unique or foreign key constraint. */
export function isConstraintViolation(error: unknown): boolean {
  return primaryCode(error) === CONSTRAINT
}

/** True if another connection holds the lock. */
export function isBusy(error: unknown): boolean {
  return primaryCode(error) === BUSY
}

function describe(error: unknown, file: string): FairleadError | undefined {
  const reason = error instanceof Error ? error.message : String(error)
  switch (primaryCode(error)) {
    case FULL:
      return STORE_FULL()
    case CORRUPT:
    case NOT_A_DATABASE:
      return STORE_DAMAGED(file, reason)
    case READ_ONLY:
    case CANNOT_OPEN:
      return STORE_UNWRITABLE(file, reason)
    case BUSY:
      return STORE_LOCKED(file)
    case IO_ERROR:
      return STORE_UNAVAILABLE(reason)
    default:
      return undefined
  }
}

/** The low byte of SQLite's (extended) result code; undefined when it is no error of SQLite. */
function primaryCode(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown } | null)?.errcode
  return typeof code === 'number' ? code & 0xff : undefined
}

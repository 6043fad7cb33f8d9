import type { FairleadError } from '#lib/errors.ts'
import { SQLITE, sqliteCode } from '#lib/sqlite-code.ts'
import {
  STORE_DAMAGED,
  STORE_FULL,
  STORE_IN_USE,
  STORE_LOCKED,
  STORE_REFUSED,
  STORE_UNAVAILABLE,
  STORE_UNWRITABLE,
} from './errors.ts'
import { sqlState } from './postgres-error.ts'

/** What an error of SQLite means for the person who runs the manager; an error of a statement stays as it is. */
export function storeError(error: unknown, file: string): unknown {
  const kind = describe(error, file)
  return kind ? kind.with({ cause: error }) : error
}

/** True if the store cannot be used now: nothing is wrong with the work, which is to be tried again later. */
export function isStoreTrouble(error: unknown): boolean {
  return TROUBLES.some(kind => kind.matches(error))
}

/** True if a statement was refused by a unique or foreign key constraint. */
export function isConstraintViolation(error: unknown): boolean {
  return sqliteCode(error) === SQLITE.constraint || sqlState(error)?.startsWith('23') === true
}

/** True if another connection holds the lock. */
export function isBusy(error: unknown): boolean {
  return sqliteCode(error) === SQLITE.busy
}

const TROUBLES = [STORE_FULL, STORE_IN_USE, STORE_LOCKED, STORE_REFUSED, STORE_UNAVAILABLE, STORE_UNWRITABLE]

function describe(error: unknown, file: string): FairleadError | undefined {
  const reason = error instanceof Error ? error.message : String(error)
  switch (sqliteCode(error)) {
    case SQLITE.full:
      return STORE_FULL()
    case SQLITE.corrupt:
    case SQLITE.notADatabase:
      return STORE_DAMAGED(file, reason)
    case SQLITE.readOnly:
    case SQLITE.cannotOpen:
      return STORE_UNWRITABLE(file, reason)
    case SQLITE.busy:
      return STORE_LOCKED(file)
    case SQLITE.ioError:
      return STORE_UNAVAILABLE(reason)
    default:
      return undefined
  }
}

import { DISK_FULL } from '#exec/errors.ts'
import type { FairleadError } from '#lib/errors.ts'
import { SQLITE, sqliteCode } from '#lib/sqlite-code.ts'
import { JOURNAL_UNWRITABLE } from './errors.ts'

const UNWRITABLE: ReadonlySet<number | undefined> = new Set([
  SQLITE.readOnly,
  SQLITE.ioError,
  SQLITE.cannotOpen,
])

/** What an error of SQLite says of the disk under the journal; any other error stays as it is. */
export function journalError(error: unknown, file: string): unknown {
  const code = sqliteCode(error)
  if (code === SQLITE.full) {
    return DISK_FULL('the journal of the agent').with({ cause: error })
  }
  return UNWRITABLE.has(code)
    ? JOURNAL_UNWRITABLE(file, error instanceof Error ? error.message : String(error)).with({ cause: error })
    : error
}

/** Nothing is wrong with the journal: what is in it stays true, and it goes on when its disk can be written again. */
export function isJournalDiskError(error: unknown): error is FairleadError {
  return DISK_FULL.matches(error) || JOURNAL_UNWRITABLE.matches(error)
}

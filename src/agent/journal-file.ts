import { DatabaseSync } from 'node:sqlite'
import { ALREADY_RUNNING, JOURNAL_DAMAGED } from './errors.ts'
import { journalError } from './journal-error.ts'

/** Exclusive: a second agent would take our running commands for interrupted. No data of a command: it may be secret. */
const SETUP = `
  PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
  CREATE TABLE IF NOT EXISTS commands (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, idem TEXT NOT NULL, state TEXT NOT NULL,
    started_at INTEGER NOT NULL, ended_at INTEGER, result TEXT, error TEXT,
    seq INTEGER NOT NULL DEFAULT 0, settled INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX IF NOT EXISTS commands_unsettled ON commands (started_at) WHERE settled = 0;
  CREATE TABLE IF NOT EXISTS programs (command TEXT PRIMARY KEY, facts TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS numbers (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
`

/** Throws ALREADY_RUNNING, JOURNAL_DAMAGED, JOURNAL_UNWRITABLE or DISK_FULL. */
export function openJournalFile(file: string): DatabaseSync {
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(file)
    db.exec(SETUP)
    return db
  } catch (error) {
    db?.close()
    const known = journalError(error, file)
    const why = error instanceof Error ? error.message : String(error)
    const unusable = why.includes('locked') ? ALREADY_RUNNING(file) : JOURNAL_DAMAGED(file, why)
    throw known === error ? unusable.with({ cause: error }) : known
  }
}

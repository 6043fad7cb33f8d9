import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import type { SqliteDatabase, SqliteStatement } from 'kysely'
import { SOON_MARK } from './soon.ts'
import { storeError } from './store-error.ts'

/** node:sqlite in the shape that Kysely's SqliteDialect wants, with prepared statements kept. */
export function createSqlite(file: string): SqliteDatabase & { readonly raw: DatabaseSync } {
  const raw = openFile(file)
  const statements = new Map<string, SqliteStatement>()

  function prepare(sql: string): SqliteStatement {
    const kept = statements.get(sql)
    if (kept) {
      return kept
    }
    const made = statementOf(file, raw, sql)
    if (statements.size >= MAX_STATEMENTS) {
      statements.delete(statements.keys().next().value ?? '')
    }
    statements.set(sql, made)
    return made
  }

  return { raw, prepare, close: () => raw.close() }
}

/** The whole process stands still meanwhile: patient-dialect.ts waits longer, beside other work. */
const BUSY_MS = 20
/** More than the program has; only statements with varying lists (`in (…)`) could reach it. */
const MAX_STATEMENTS = 500

function openFile(file: string): DatabaseSync {
  try {
    const raw = new DatabaseSync(file, { timeout: BUSY_MS, enableForeignKeyConstraints: true })
    // FULL: a commit is on the disk before it is answered, also through a loss of power.
    raw.exec('pragma journal_mode = wal; pragma synchronous = full')
    // Readers of their own (page cache 4 MB) and small write-ahead log: the manager's memory is counted.
    raw.exec('pragma cache_size = -4000; pragma journal_size_limit = 16777216')
    return raw
  } catch (error) {
    throw storeError(error, file)
  }
}

function statementOf(file: string, raw: DatabaseSync, sql: string): SqliteStatement {
  const statement = guarded(file, () => raw.prepare(sqlFor(sql)))
  const run = sql.endsWith(SOON_MARK) ? soon : now
  const values = (parameters: readonly unknown[]) => parameters as SQLInputValue[]
  return {
    reader: statement.columns().length > 0,
    all: parameters => guarded(file, () => statement.all(...values(parameters))),
    run: parameters =>
      isIdleRollback(raw, sql)
        ? NOTHING_CHANGED
        : guarded(file, () => run(raw, statement, values(parameters))),
    iterate: parameters => guarded(file, () => raw.prepare(sql).iterate(...values(parameters))),
  }
}

const NOTHING_CHANGED = { changes: 0, lastInsertRowid: 0 }

/** Alone, it does not wait for the disk; in a transaction it waits with the rest. */
function soon(raw: DatabaseSync, statement: StatementSync, values: SQLInputValue[]) {
  if (raw.isTransaction) {
    return statement.run(...values)
  }
  raw.exec('pragma synchronous = normal')
  try {
    return statement.run(...values)
  } finally {
    raw.exec('pragma synchronous = full')
  }
}

function now(_raw: DatabaseSync, statement: StatementSync, values: SQLInputValue[]) {
  return statement.run(...values)
}

/** A transaction takes the write lock at its start, so that it cannot fail halfway for want of it. */
function sqlFor(sql: string): string {
  return sql === 'begin' ? 'begin immediate' : sql
}

/** After a full disk SQLite has rolled back by itself; a second rollback would hide the first error. */
function isIdleRollback(raw: DatabaseSync, sql: string): boolean {
  return sql === 'rollback' && !raw.isTransaction
}

function guarded<T>(file: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw storeError(error, file)
  }
}

import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { DATABASE_FILE } from '#manager/store/database.ts'
import { RESTORE_SINCE_UNREADABLE } from './errors.ts'

export type Row = Readonly<Record<string, string | number | null>>

/** The manager as it was last, as far as it is needed to know whom it let in. */
export interface Since {
  readonly epoch: number
  /** Undefined where it has no such table. */
  rows(table: string): readonly Row[] | undefined
  close(): void
}

/**
 * `folder` is of the manager that is being restored: it gets the keys and certificates that were made since. `file` is
 * the database, where it is not in the folder of the earlier manager.
 */
export function readSince(since: string, folder: string, file = join(since, DATABASE_FILE)): Since {
  try {
    const database = open(file)
    const epoch = Number(database.prepare(`select value from meta where key = 'epoch'`).get()?.value ?? 0)
    takeKeys(since, folder)
    return {
      epoch,
      rows(table) {
        const found = database
          .prepare(`select 1 from sqlite_master where type = 'table' and name = ?`)
          .get(table)
        return found && (database.prepare(`select * from "${table}"`).all() as Row[])
      },
      close: () => database.close(),
    }
  } catch (error) {
    throw RESTORE_SINCE_UNREADABLE(since, (error as Error).message).with({ cause: error })
  }
}

function open(file: string): DatabaseSync {
  if (!existsSync(file)) {
    throw new Error(`there is no ${DATABASE_FILE}`)
  }
  return new DatabaseSync(file, { readOnly: true })
}

/** Values that are taken over may be sealed with a newer key, and hosts may know a newer certificate only. */
function takeKeys(since: string, folder: string): void {
  const keysOf = (of: string) => readFileSync(join(of, 'secret.key'), 'utf8').trim().split('\n')
  const keys = [...new Set([...keysOf(since), ...keysOf(folder)])]
  writeFileSync(join(folder, 'secret.key'), `${keys.join('\n')}\n`, { mode: 0o600 })
  const identity = (of: string) => readFileSync(join(of, 'identity/identity.json'), 'utf8')
  if (existsSync(join(since, 'identity/tls.json')) && identity(since) === identity(folder)) {
    copyFileSync(join(since, 'identity/tls.json'), join(folder, 'identity/tls.json'))
  }
}

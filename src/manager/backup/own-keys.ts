import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { sharedFilePlace } from '#manager/leadership/sealed-places.ts'
import { IDENTITY } from '#manager/leadership/shared-files.ts'
import { MARK, opensMark, sealerOf } from '#manager/secrets/key-file.ts'
import { BACKUP_KEYS_OTHER } from './errors.ts'

interface Keys {
  /** The copy that goes into the backup. */
  readonly keyFile: string
  readonly data: string
}

/**
 * Refuses a database beside keys that are not its own. Of several managers the one that leads changes them; those of one
 * that stands by are then old, and it does not notice while its program does not run.
 */
export function checkOwnKeys(file: string, { keyFile, data }: Keys): void {
  const database = new DatabaseSync(file, { readOnly: true })
  try {
    const mark = database.prepare('select value from meta where key = ?').get(MARK)?.value
    if (!opensMark(mark === undefined ? undefined : String(mark), keyFile)) {
      throw BACKUP_KEYS_OTHER(join(data, 'secret.key'))
    }
    const known = sharedIdentity(database)
    if (known === undefined) {
      return
    }
    const own = join(data, IDENTITY)
    if (sealerOf(keyFile).open(known, sharedFilePlace(IDENTITY)) !== readFileSync(own, 'utf8')) {
      throw BACKUP_KEYS_OTHER(own)
    }
  } finally {
    database.close()
  }
}

/** Undefined also in a database from before there could be several managers. */
function sharedIdentity(database: DatabaseSync): string | undefined {
  const has = database.prepare(`select 1 from sqlite_master where name = 'shared_files'`).get()
  const row = has && database.prepare('select content_sealed from shared_files where name = ?').get(IDENTITY)
  return row === undefined ? undefined : String(row.content_sealed)
}

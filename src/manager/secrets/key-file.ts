import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import type { Kysely } from 'kysely'
import type { Tables } from '#manager/store/tables.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { SEAL_KEY_UNSAFE, SEAL_KEY_WRONG, SEALED_VALUE_DAMAGED } from './errors.ts'
import { type Resealed, resealAll } from './reseal.ts'
import { createSealer, type Sealer } from './seal.ts'

const KEY_BYTES = 32
/** Of a rotation that was begun several times before the manager was started again. */
const MOST_KEYS = 16
/** In the table "meta" of each database. */
export const MARK = 'seal-check'
const MARK_PLACE = `meta/${MARK}`

/** The keys in the file (base64, one a line), the one to seal with first. It is made on first use, and refused when others may read it. */
export function loadOrCreateKeys(file: string): readonly Buffer[] {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const made = createKeyFile(file, [randomBytes(KEY_BYTES)])
  return made ?? readKeys(file)
}

/** Puts a new key before those in the file. The manager takes it at its next start. */
export function addKey(file: string): void {
  writeKeys(file, [randomBytes(KEY_BYTES), ...loadOrCreateKeys(file)])
}

/**
 * The sealer of this database. A key file that is not the database's own is refused, not silently used beside it.
 * With more than one key in the file a rotation is under way: all values are sealed anew with the first key, in one
 * transaction, and only then the older keys go. A kill anywhere leaves a file with every key that is still needed.
 */
export async function openSealer(
  db: Kysely<Tables>,
  keyFile: string,
  tell: (resealed: Resealed) => void = () => undefined,
): Promise<Sealer> {
  const [first, ...older] = loadOrCreateKeys(keyFile) as [Buffer, ...Buffer[]]
  const ring = createSealer(first, ...older)
  await checkMark(db, ring, keyFile)
  if (older.length === 0) {
    return ring
  }
  const own = createSealer(first)
  const resealed = await inTransaction(db, async transaction => {
    const done = await resealAll(transaction, ring, own)
    const value = own.seal(MARK, MARK_PLACE)
    await transaction.updateTable('meta').set({ value }).where('key', '=', MARK).execute()
    return done
  })
  tell(resealed)
  if (resealed.left.length > 0) {
    return ring
  }
  writeKeys(keyFile, [first])
  return own
}

/** Whether the keys in the file are those of the database with this mark; true where nothing was sealed yet. */
export function opensMark(mark: string | undefined, keyFile: string): boolean {
  try {
    return mark === undefined || sealerOf(keyFile).open(mark, MARK_PLACE) === MARK
  } catch (error) {
    if (SEALED_VALUE_DAMAGED.matches(error)) {
      return false
    }
    throw error
  }
}

/** The sealer of the keys in a file that is there; nothing is made, and nothing compared with a database. */
export function sealerOf(file: string): Sealer {
  const [first, ...older] = readKeys(file) as [Buffer, ...Buffer[]]
  return createSealer(first, ...older)
}

async function checkMark(db: Kysely<Tables>, sealer: Sealer, keyFile: string): Promise<void> {
  const mark = await db.selectFrom('meta').select('value').where('key', '=', MARK).executeTakeFirst()
  if (!mark) {
    await db
      .insertInto('meta')
      .values({ key: MARK, value: sealer.seal(MARK, MARK_PLACE) })
      .execute()
    return
  }
  try {
    sealer.open(mark.value, MARK_PLACE)
  } catch (error) {
    throw SEALED_VALUE_DAMAGED.matches(error) ? SEAL_KEY_WRONG(keyFile) : error
  }
}

/** The whole file at once: there is never one with half of the keys. */
function writeKeys(file: string, keys: readonly Buffer[]): void {
  const draft = `${file}.new`
  rmSync(draft, { force: true })
  createKeyFile(draft, keys)
  renameSync(draft, file)
}

/** Undefined when there is such a file. */
function createKeyFile(file: string, keys: readonly Buffer[]): readonly Buffer[] | undefined {
  // O_SYNC instead of fsync, which Node's permission model does not allow.
  const { O_CREAT, O_EXCL, O_WRONLY, O_SYNC } = constants
  let descriptor: number
  try {
    descriptor = openSync(file, O_CREAT | O_EXCL | O_WRONLY | O_SYNC, 0o600)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      return undefined
    }
    throw SEAL_KEY_UNSAFE(file, (error as Error).message).with({ cause: error })
  }
  try {
    writeSync(descriptor, keys.map(key => `${key.toString('base64')}\n`).join(''))
  } finally {
    closeSync(descriptor)
  }
  return keys
}

function readKeys(file: string): readonly Buffer[] {
  let descriptor: number
  try {
    descriptor = openSync(file, 'r')
  } catch (error) {
    throw SEAL_KEY_UNSAFE(file, (error as Error).message).with({ cause: error })
  }
  try {
    const mode = fstatSync(descriptor).mode
    if ((mode & 0o077) !== 0) {
      throw SEAL_KEY_UNSAFE(file, `others may read it (mode ${(mode & 0o777).toString(8)}, wanted 600)`)
    }
    const lines = readFileSync(descriptor, 'utf8').trim().split('\n')
    const keys = lines.map(line => Buffer.from(line, 'base64'))
    const wrong = keys.find(key => key.length !== KEY_BYTES)
    if (wrong || keys.length > MOST_KEYS) {
      const held = wrong ? `a key of ${wrong.length} bytes` : `${keys.length} keys`
      throw SEAL_KEY_UNSAFE(file, `it holds ${held}, wanted ${KEY_BYTES} bytes and at most ${MOST_KEYS} keys`)
    }
    return keys
  } finally {
    closeSync(descriptor)
  }
}

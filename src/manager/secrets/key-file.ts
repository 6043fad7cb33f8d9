import { randomBytes } from 'node:crypto'
import { closeSync, constants, fstatSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Kysely } from 'kysely'
import type { Tables } from '#manager/store/tables.ts'
import { SEAL_KEY_UNSAFE, SEAL_KEY_WRONG, SEALED_VALUE_DAMAGED } from './errors.ts'
import { createSealer, type Sealer } from './seal.ts'

const KEY_BYTES = 32

/** The 32 bytes in the file (base64), which is made on first use. Refuses a file that others may read. */
export function loadOrCreateKey(file: string): Buffer {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  return createKey(file) ?? readKey(file)
}

/** The sealer of this database. A key file that is not the database's own is refused, not silently used beside it. */
export async function openSealer(db: Kysely<Tables>, keyFile: string): Promise<Sealer> {
  const sealer = createSealer(loadOrCreateKey(keyFile))
  const mark = await db.selectFrom('meta').select('value').where('key', '=', MARK).executeTakeFirst()
  if (!mark) {
    await db
      .insertInto('meta')
      .values({ key: MARK, value: sealer.seal(MARK, `meta/${MARK}`) })
      .execute()
    return sealer
  }
  try {
    sealer.open(mark.value, `meta/${MARK}`)
    return sealer
  } catch (error) {
    throw SEALED_VALUE_DAMAGED.matches(error) ? SEAL_KEY_WRONG(keyFile) : error
  }
}

const MARK = 'seal-check'

function createKey(file: string): Buffer | undefined {
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
  const key = randomBytes(KEY_BYTES)
  try {
    writeSync(descriptor, `${key.toString('base64')}\n`)
  } finally {
    closeSync(descriptor)
  }
  return key
}

function readKey(file: string): Buffer {
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
    const key = Buffer.from(readFileSync(descriptor, 'utf8').trim(), 'base64')
    if (key.length !== KEY_BYTES) {
      throw SEAL_KEY_UNSAFE(file, `it holds ${key.length} bytes, wanted ${KEY_BYTES}`)
    }
    return key
  } finally {
    closeSync(descriptor)
  }
}

import type { Kysely } from 'kysely'
import { STORE_UNFINISHED } from './errors.ts'
import type { PostgresAddress } from './postgres-address.ts'
import { connect } from './postgres-session.ts'
import type { Tables } from './tables.ts'

/**
 * In the table "meta" of a database that a restore has filled, until the folder that belongs to it is in its place. Its
 * value tells which restore that is: another one may have come into the database since.
 */
const MARK = 'restore-unfinished'

/** Whether a restore may go there: nothing is in it, or what one has left that was cut off. */
export async function takesRestore(address: PostgresAddress): Promise<boolean> {
  const line = await connect(address)
  try {
    const { rows } = await line.query(
      `select not exists (select from pg_tables where schemaname = current_schema()) as nothing,
        to_regclass('meta') is not null as has_meta`,
    )
    if (rows[0]?.nothing === 1 || rows[0]?.has_meta !== 1) {
      return rows[0]?.nothing === 1
    }
    return (await line.query('select key from meta where key = $1', [MARK])).rows.length > 0
  } finally {
    await line.close()
  }
}

export async function isUnfinished(db: Kysely<Tables>): Promise<boolean> {
  return (await db.selectFrom('meta').select('key').where('key', '=', MARK).executeTakeFirst()) !== undefined
}

/** In the transaction that fills it. */
export async function markUnfinished(db: Kysely<Tables>, restore: string): Promise<void> {
  await db.insertInto('meta').values({ key: MARK, value: restore }).execute()
}

/** False: the mark is not that of this restore, and stays. */
export async function markFinished(address: PostgresAddress, restore: string): Promise<boolean> {
  const line = await connect(address)
  try {
    const done = await line.query('delete from meta where key = $1 and value = $2', [MARK, restore])
    return done.rowCount === 1
  } finally {
    await line.close()
  }
}

export async function refuseUnfinished(db: Kysely<Tables>, place: string): Promise<void> {
  if (await isUnfinished(db)) {
    throw STORE_UNFINISHED(place)
  }
}

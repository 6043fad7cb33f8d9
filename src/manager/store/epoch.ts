import type { Kysely } from 'kysely'
import type { Tables } from './tables.ts'
import { inTransaction } from './transaction.ts'

/**
 * A number higher than at any start before: agents refuse a manager with a lower one than they have seen. Inside a
 * transaction it is raised with that one.
 */
export async function nextEpoch(db: Kysely<Tables>): Promise<number> {
  return await inTransaction(db, async transaction => {
    const row = await transaction
      .selectFrom('meta')
      .select('value')
      .where('key', '=', 'epoch')
      .executeTakeFirst()
    const value = String(Number(row?.value ?? 0) + 1)
    await transaction
      .insertInto('meta')
      .values({ key: 'epoch', value })
      .onConflict(conflict => conflict.column('key').doUpdateSet({ value }))
      .execute()
    return Number(value)
  })
}

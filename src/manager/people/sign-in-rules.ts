import type { Kysely } from 'kysely'
import type { TwoFactorRule } from '#contract/rest/people.ts'
import type { Tables } from '#manager/store/tables.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import type { Speaker } from './tokens.ts'

type Db = Kysely<Tables>

const KEY = 'two-factor'

/** Who has to have a second factor. */
export async function readTwoFactorRule(db: Db): Promise<TwoFactorRule> {
  const row = await db.selectFrom('meta').select('value').where('key', '=', KEY).executeTakeFirst()
  return (row?.value ?? 'nobody') as TwoFactorRule
}

export async function setTwoFactorRule(db: Db, rule: TwoFactorRule): Promise<void> {
  await inTransaction(db, async inside => {
    await inside.deleteFrom('meta').where('key', '=', KEY).execute()
    await inside.insertInto('meta').values({ key: KEY, value: rule }).execute()
  })
}

/** Whether who has signed in must have a second factor first. Asks the store only where there is none. */
export async function lacksFactor(db: Db, { person, session, role }: Speaker): Promise<boolean> {
  if (!person || !session || person.totp_at !== null) {
    return false
  }
  const rule = await readTwoFactorRule(db)
  return rule === 'everybody' || (rule === 'admins' && role === 'admin')
}

import { createHash, timingSafeEqual } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { Clock } from '#lib/clock.ts'
import { newId, randomText } from '#lib/id.ts'
import type { Tables } from '#manager/store/tables.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { FIRST_CODE_WRONG, FIRST_START_OVER } from './errors.ts'
import { hashPassword } from './passwords.ts'
import type { Person } from './sessions.ts'

interface FirstStartContext {
  readonly db: Kysely<Tables>
  readonly clock: Clock
}

export interface FirstStartOffer {
  readonly code: string
  readonly until: number
}

interface NewAdmin {
  readonly code: string
  readonly name: string
  readonly email: string
  readonly password: string
}

const KEY = 'first-start'
const VALID_MS = 10 * 60_000

export async function isFirstStart(db: Kysely<Tables>): Promise<boolean> {
  return (await db.selectFrom('people').select('id').limit(1).executeTakeFirst()) === undefined
}

/** A code with which the first account can be made, in place of any before; undefined where there is an account. */
export async function offerFirstStart({
  db,
  clock,
}: FirstStartContext): Promise<FirstStartOffer | undefined> {
  const code = randomText(12)
  const until = clock.now() + VALID_MS
  return await inTransaction(db, async inside => {
    if (!(await isFirstStart(inside))) {
      return undefined
    }
    const value = JSON.stringify({ hash: hashOf(code), until })
    await inside.deleteFrom('meta').where('key', '=', KEY).execute()
    await inside.insertInto('meta').values({ key: KEY, value }).execute()
    return { code, until }
  })
}

/** Makes the first account, an admin's, for who has the code. */
export async function makeFirstAdmin(
  { db, clock }: FirstStartContext,
  { code, name, email, password }: NewAdmin,
): Promise<Person> {
  await refuseUnlessOpen(db, clock, code)
  const kept = await hashPassword(password)
  const id = newId()
  return await inTransaction(db, async inside => {
    // Somebody else may have been faster while the password was hashed.
    await refuseUnlessOpen(inside, clock, code)
    await inside.deleteFrom('meta').where('key', '=', KEY).execute()
    const person = { id, name, email: email.toLowerCase(), password: kept, role: 'admin' } as const
    return await inside
      .insertInto('people')
      .values({ ...person, created_at: clock.now() })
      .returningAll()
      .executeTakeFirstOrThrow()
  })
}

async function refuseUnlessOpen(db: Kysely<Tables>, clock: Clock, code: string): Promise<void> {
  if (!(await isFirstStart(db))) {
    throw FIRST_START_OVER()
  }
  const row = await db.selectFrom('meta').select('value').where('key', '=', KEY).executeTakeFirst()
  const { hash, until } = JSON.parse(row?.value ?? '{"hash":"","until":0}') as { hash: string; until: number }
  const given = hashOf(code)
  const fits = hash.length === given.length && timingSafeEqual(Buffer.from(hash), Buffer.from(given))
  if (!fits || clock.now() >= until) {
    throw FIRST_CODE_WRONG()
  }
}

function hashOf(code: string): string {
  return createHash('sha256').update(code).digest('hex')
}

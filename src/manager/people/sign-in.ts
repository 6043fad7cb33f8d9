import type { Kysely } from 'kysely'
import type { Tables } from '#manager/store/tables.ts'
import { PASSWORD_WRONG, SIGN_IN_REFUSED } from './errors.ts'
import { hashPassword, isPassword } from './passwords.ts'
import { endSessions, type Person } from './sessions.ts'

interface SignInContext {
  readonly db: Kysely<Tables>
}

/** Whose address and password these are, or SIGN_IN_REFUSED: the same, as late, for whatever does not fit. */
export async function checkPassword(
  { db }: SignInContext,
  { email, password }: { readonly email: string; readonly password: string },
): Promise<Person> {
  const person = await db
    .selectFrom('people')
    .selectAll()
    .where('email', '=', email.toLowerCase())
    .executeTakeFirst()
  const fits = await isPassword(password, person?.password ?? null)
  if (!person || !fits || person.disabled_at !== null) {
    throw SIGN_IN_REFUSED()
  }
  return person
}

/** Sets another password; all sessions but the one that asks end. */
export async function changePassword(
  { db }: SignInContext,
  person: Person,
  {
    present,
    wanted,
    session,
  }: { readonly present: string; readonly wanted: string; readonly session: string },
): Promise<void> {
  if (!(await isPassword(present, person.password))) {
    throw PASSWORD_WRONG()
  }
  const password = await hashPassword(wanted)
  await db.updateTable('people').set({ password }).where('id', '=', person.id).execute()
  await endSessions(db, person.id, session)
}

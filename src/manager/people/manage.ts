import { createHash } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { RoleName } from '#contract/rest/people.ts'
import type { Clock } from '#lib/clock.ts'
import { newId, randomText } from '#lib/id.ts'
import type { Tables } from '#manager/store/tables.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { INVITATION_WRONG, LAST_ADMIN, PERSON_EXISTS, PERSON_NOT_FOUND } from './errors.ts'
import { hashPassword } from './passwords.ts'
import { NO_FACTOR } from './second-factor.ts'
import { activePerson, endSessions, type Person } from './sessions.ts'

interface PeopleContext {
  readonly db: Kysely<Tables>
  readonly clock: Clock
}

export interface Invitation {
  readonly code: string
  readonly until: number
}

const VALID_MS = 3 * 24 * 3_600_000

export async function listPeople(db: Kysely<Tables>): Promise<Person[]> {
  return await db.selectFrom('people').selectAll().orderBy('email').execute()
}

/** An account without a password, and the code with which its owner chooses one. */
export async function addPerson(
  { db, clock }: PeopleContext,
  wanted: { readonly name: string; readonly email: string; readonly role: RoleName | null },
): Promise<{ readonly person: Person; readonly invitation: Invitation }> {
  const { invitation, columns } = newInvitation(clock)
  const email = wanted.email.toLowerCase()
  const person = await inTransaction(db, async inside => {
    if (await inside.selectFrom('people').select('id').where('email', '=', email).executeTakeFirst()) {
      throw PERSON_EXISTS(email)
    }
    const row = { id: newId(), name: wanted.name, email, role: wanted.role, created_at: clock.now() }
    return await inside
      .insertInto('people')
      .values({ ...row, ...columns })
      .returningAll()
      .executeTakeFirstOrThrow()
  })
  return { person, invitation }
}

/** Another code; the password that they have goes on until it is used. */
export async function invite({ db, clock }: PeopleContext, id: string): Promise<Invitation> {
  const { invitation, columns } = newInvitation(clock)
  const { numUpdatedRows } = await db
    .updateTable('people')
    .set(columns)
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  if (numUpdatedRows === 0n) {
    throw PERSON_NOT_FOUND(id)
  }
  return invitation
}

/** Sets the password of the account that the code is for; whoever had the old one is out, tokens and second factor too. */
export async function acceptInvitation(
  { db, clock }: PeopleContext,
  { code, password }: { readonly code: string; readonly password: string },
): Promise<Person> {
  const invitation_hash = hashOf(code)
  const found = await db
    .selectFrom('people')
    .select('id')
    .where('invitation_hash', '=', invitation_hash)
    .where('invitation_until', '>', clock.now())
    .executeTakeFirst()
  const person = found && (await activePerson(db, found.id))
  if (!person) {
    throw INVITATION_WRONG()
  }
  const kept = await hashPassword(password)
  const { numUpdatedRows } = await db
    .updateTable('people')
    .set({ password: kept, invitation_hash: null, invitation_until: null, ...NO_FACTOR })
    .where('id', '=', person.id)
    .where('invitation_hash', '=', invitation_hash)
    .executeTakeFirstOrThrow()
  if (numUpdatedRows === 0n) {
    throw INVITATION_WRONG()
  }
  await endSessions(db, person.id)
  // Whoever got in before may have made one.
  await db.deleteFrom('tokens').where('person_id', '=', person.id).execute()
  await db.deleteFrom('passkeys').where('person_id', '=', person.id).execute()
  return { ...person, ...NO_FACTOR }
}

export interface PersonChange {
  readonly name?: string | undefined
  readonly role?: RoleName | null | undefined
  readonly disabled?: boolean | undefined
  /** So many apps they may own; null: any number. */
  readonly most_apps?: number | null | undefined
}

export async function changePerson(
  { db, clock }: PeopleContext,
  id: string,
  { name, role, disabled, most_apps }: PersonChange,
): Promise<Person> {
  return await inTransaction(db, async inside => {
    const now = await readPerson(inside, id)
    const next = {
      name: name ?? now.name,
      role: role === undefined ? now.role : role,
      most_apps: most_apps === undefined ? now.most_apps : most_apps,
      disabled_at:
        disabled === undefined ? now.disabled_at : disabled ? (now.disabled_at ?? clock.now()) : null,
    }
    if (isAdmin(now) && !isAdmin({ ...now, ...next })) {
      await refuseLastAdmin(inside, id)
    }
    if (next.disabled_at !== null) {
      await endSessions(inside, id)
    }
    await inside.updateTable('people').set(next).where('id', '=', id).execute()
    return { ...now, ...next }
  })
}

/** Their sessions and tokens go with them. */
export async function removePerson(db: Kysely<Tables>, id: string): Promise<void> {
  await inTransaction(db, async inside => {
    if (isAdmin(await readPerson(inside, id))) {
      await refuseLastAdmin(inside, id)
    }
    await inside.deleteFrom('people').where('id', '=', id).execute()
  })
}

export async function personWithEmail(db: Kysely<Tables>, email: string): Promise<Person> {
  const row = await db
    .selectFrom('people')
    .selectAll()
    .where('email', '=', email.toLowerCase())
    .executeTakeFirst()
  if (!row) {
    throw PERSON_NOT_FOUND(email)
  }
  return row
}

async function readPerson(db: Kysely<Tables>, id: string): Promise<Person> {
  const row = await db.selectFrom('people').selectAll().where('id', '=', id).executeTakeFirst()
  if (!row) {
    throw PERSON_NOT_FOUND(id)
  }
  return row
}

function isAdmin({ role, disabled_at }: Pick<Person, 'role' | 'disabled_at'>): boolean {
  return role === 'admin' && disabled_at === null
}

async function refuseLastAdmin(db: Kysely<Tables>, id: string): Promise<void> {
  const others = await db
    .selectFrom('people')
    .select('id')
    .where('role', '=', 'admin')
    .where('disabled_at', 'is', null)
    .where('id', '!=', id)
    .limit(1)
    .execute()
  if (others.length === 0) {
    throw LAST_ADMIN()
  }
}

function newInvitation(clock: Clock) {
  const code = randomText(24)
  const until = clock.now() + VALID_MS
  const columns = { invitation_hash: hashOf(code), invitation_until: until }
  return { invitation: { code, until }, columns }
}

function hashOf(code: string): string {
  return createHash('sha256').update(code).digest('hex')
}

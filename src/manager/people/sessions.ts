import { createHash } from 'node:crypto'
import type { Kysely, Selectable } from 'kysely'
import type { Clock } from '#lib/clock.ts'
import { newId, randomText } from '#lib/id.ts'
import type { PersonTable } from '#manager/store/people-tables.ts'
import { isStoreTrouble } from '#manager/store/store-error.ts'
import type { Tables } from '#manager/store/tables.ts'
import { SESSION_NOT_FOUND } from './errors.ts'

export type Person = Selectable<PersonTable>

interface SessionsContext {
  readonly db: Kysely<Tables>
  readonly clock: Clock
}

/** A session that was opened or found, and whose it is. */
export interface Session {
  readonly id: string
  readonly person: Person
  readonly startedAt: number
  readonly endsAt: number
  readonly awaitsFactor: boolean
}

const VALUE = /^fls_[A-Za-z0-9_-]{43}$/
const HOUR_MS = 3_600_000
const LONGEST_MS = 30 * 24 * HOUR_MS
const IDLE_MS = 7 * 24 * HOUR_MS
/** For the second factor. */
const WAITS_MS = 10 * 60_000
/** `used_at` is only this exact, so that reading does not write. */
const USED_EXACTNESS_MS = 10 * 60_000
/** More browsers than anybody has; the oldest session makes room. */
const MOST_SESSIONS = 50

export interface NewSession {
  readonly personId: string
  readonly awaitsFactor: boolean
  readonly address: string
  readonly program: string
}

/** Opens a session; `value` is for the cookie and is kept nowhere. */
export async function openSession(
  { db, clock }: SessionsContext,
  { personId, awaitsFactor, address, program }: NewSession,
): Promise<{ readonly id: string; readonly value: string; readonly endsAt: number }> {
  const id = newId()
  const value = `fls_${randomText(32)}`
  const now = clock.now()
  const endsAt = now + (awaitsFactor ? WAITS_MS : LONGEST_MS)
  await db
    .insertInto('sessions')
    .values({
      id,
      hash: hashOf(value),
      person_id: personId,
      awaits_factor: awaitsFactor ? 1 : 0,
      created_at: now,
      used_at: now,
      ends_at: endsAt,
      address,
      program: program.slice(0, 300),
    })
    .execute()
  const old = db
    .selectFrom('sessions')
    .select('id')
    .where('person_id', '=', personId)
    .orderBy('id', 'desc')
    .limit(1_000)
    .offset(MOST_SESSIONS)
  await db.deleteFrom('sessions').where('id', 'in', old).execute()
  return { id, value, endsAt }
}

/** The session of a cookie while it holds; undefined for none. */
export async function findSession(
  { db, clock }: SessionsContext,
  value: string,
): Promise<Session | undefined> {
  if (!VALUE.test(value)) {
    return undefined
  }
  const now = clock.now()
  const row = await openSessions(db, now).where('hash', '=', hashOf(value)).executeTakeFirst()
  const person = row && (await activePerson(db, row.person_id))
  if (!person) {
    return undefined
  }
  if (now - row.used_at > USED_EXACTNESS_MS) {
    const noted = db.updateTable('sessions').set({ used_at: now }).where('id', '=', row.id)
    // Who only reads must not be refused because nothing can be written.
    await noted.execute().catch(error => {
      if (!isStoreTrouble(error)) {
        throw error
      }
    })
  }
  const times = { startedAt: row.created_at, endsAt: row.ends_at }
  return { id: row.id, person, ...times, awaitsFactor: row.awaits_factor === 1 }
}

/** A session that was shown before, while it holds. */
export async function sessionWithId(
  { db, clock }: SessionsContext,
  id: string,
): Promise<{ readonly person: Person } | undefined> {
  const row = await openSessions(db, clock.now()).where('id', '=', id).executeTakeFirst()
  const person = row && (await activePerson(db, row.person_id))
  return person && { person }
}

function openSessions(db: Kysely<Tables>, now: number) {
  return db
    .selectFrom('sessions')
    .selectAll()
    .where('ends_at', '>', now)
    .where('used_at', '>', now - IDLE_MS)
}

/** Who has an account that is not locked. */
export async function activePerson(db: Kysely<Tables>, id: string): Promise<Person | undefined> {
  return await db
    .selectFrom('people')
    .selectAll()
    .where('id', '=', id)
    .where('disabled_at', 'is', null)
    .executeTakeFirst()
}

export async function listSessions({ db, clock }: SessionsContext, personId: string) {
  const now = clock.now()
  return await openSessions(db, now)
    .where('person_id', '=', personId)
    .where('awaits_factor', '=', 0)
    .orderBy('id', 'desc')
    .execute()
}

/** Ends one session of a person; SESSION_NOT_FOUND for another's. */
export async function endSession(db: Kysely<Tables>, personId: string, id: string): Promise<void> {
  const { numDeletedRows } = await db
    .deleteFrom('sessions')
    .where('id', '=', id)
    .where('person_id', '=', personId)
    .executeTakeFirstOrThrow()
  if (numDeletedRows === 0n) {
    throw SESSION_NOT_FOUND(id)
  }
}

/** Ends all sessions of a person, but for the one that may be kept. */
export async function endSessions(db: Kysely<Tables>, personId: string, kept = ''): Promise<void> {
  await db.deleteFrom('sessions').where('person_id', '=', personId).where('id', '!=', kept).execute()
}

export async function forgetEndedSessions({ db, clock }: SessionsContext): Promise<void> {
  const now = clock.now()
  await db
    .deleteFrom('sessions')
    .where(eb => eb.or([eb('ends_at', '<=', now), eb('used_at', '<=', now - IDLE_MS)]))
    .execute()
}

function hashOf(value: string): string {
  return createHash('sha256').update(value).digest('hex')
}

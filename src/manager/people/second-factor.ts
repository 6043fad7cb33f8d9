import { createHash } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { Clock } from '#lib/clock.ts'
import { randomText } from '#lib/id.ts'
import type { Sealer } from '#manager/secrets/seal.ts'
import type { Tables } from '#manager/store/tables.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import {
  FACTOR_EXISTS,
  FACTOR_MISSING,
  FACTOR_NOT_BEGUN,
  FACTOR_WRONG,
  PASSWORD_WRONG,
  PERSON_NOT_FOUND,
  SESSION_TOO_OLD,
} from './errors.ts'
import { isPassword } from './passwords.ts'
import type { Person, Session } from './sessions.ts'
import { type NewTotp, newTotp, totpStep } from './totp.ts'

interface FactorContext {
  readonly db: Kysely<Tables>
  readonly clock: Clock
  readonly sealer: Sealer
}

/** Who asks, and the password that was typed in: nobody who finds an open browser changes how one gets in. */
export interface Proof {
  readonly person: Person
  readonly session: Session
  readonly password: string
}

export const NO_FACTOR = { totp_sealed: null, totp_at: null, totp_step: null, recovery: null }

const RECOVERY_CODES = 10
const FRESH_MS = 15 * 60_000

/** A secret for an authenticator; it counts once a code of it was typed in. */
export async function beginFactor(context: FactorContext, proof: Proof): Promise<NewTotp> {
  await refuseUnproven(context, proof)
  const { db, sealer } = context
  const { id, email } = proof.person
  const made = newTotp(email)
  const { numUpdatedRows } = await db
    .updateTable('people')
    .set({ ...NO_FACTOR, totp_sealed: sealer.seal(made.secret, factorPlace(id)) })
    .where('id', '=', id)
    .where('totp_at', 'is', null)
    .executeTakeFirstOrThrow()
  if (numUpdatedRows === 0n) {
    throw FACTOR_EXISTS()
  }
  return made
}

/** Turns the second factor on; gives the codes that take its place once each, which are kept as hashes. */
export async function confirmFactor(
  context: FactorContext,
  personId: string,
  code: string,
): Promise<readonly string[]> {
  return await inTransaction(context.db, async inside => {
    const person = await personIn(inside, personId)
    if (person.totp_sealed === null || person.totp_at !== null) {
      throw FACTOR_NOT_BEGUN()
    }
    const { codes, recovery } = newCodes()
    const on = { totp_at: context.clock.now(), totp_step: stepOf(context, person, code), recovery }
    await inside.updateTable('people').set(on).where('id', '=', personId).execute()
    return codes
  })
}

/** FACTOR_WRONG unless it is a code of the authenticator, or of recovery, that was not used before. */
export async function useFactor(context: FactorContext, personId: string, code: string): Promise<void> {
  await inTransaction(context.db, async inside => {
    const change = useOf(context, await personIn(inside, personId), code)
    await inside.updateTable('people').set(change).where('id', '=', personId).execute()
  })
}

/** Other recovery codes, in place of all that there were. */
export async function renewCodes(
  context: FactorContext,
  personId: string,
  code: string,
): Promise<readonly string[]> {
  return await inTransaction(context.db, async inside => {
    const { codes, recovery } = newCodes()
    const change = { ...useOf(context, await personIn(inside, personId), code), recovery }
    await inside.updateTable('people').set(change).where('id', '=', personId).execute()
    return codes
  })
}

/** Its owner turns it off, with a code of it. */
export async function removeFactor(context: FactorContext, proof: Proof, code: string): Promise<void> {
  await refuseUnproven(context, proof)
  await useFactor(context, proof.person.id, code)
  await context.db.updateTable('people').set(NO_FACTOR).where('id', '=', proof.person.id).execute()
}

/** An admin's: for who has lost it. */
export async function resetFactor({ db }: Pick<FactorContext, 'db'>, personId: string): Promise<void> {
  const { numUpdatedRows } = await db
    .updateTable('people')
    .set(NO_FACTOR)
    .where('id', '=', personId)
    .executeTakeFirstOrThrow()
  if (numUpdatedRows === 0n) {
    throw PERSON_NOT_FOUND(personId)
  }
  // They may be on the device that was lost.
  await db.deleteFrom('passkeys').where('person_id', '=', personId).execute()
}

export function codesLeft({ totp_at, recovery }: Person): number {
  return totp_at === null ? 0 : (JSON.parse(recovery ?? '[]') as string[]).length
}

/** What changes with a person whose code this is: each opens once. */
function useOf(context: FactorContext, person: Person, code: string): Partial<Person> {
  if (person.totp_at === null) {
    throw FACTOR_MISSING()
  }
  const left = JSON.parse(person.recovery ?? '[]') as string[]
  const used = hashOf(code.trim())
  return left.includes(used)
    ? { recovery: JSON.stringify(left.filter(each => each !== used)) }
    : { totp_step: stepOf(context, person, code) }
}

function stepOf({ sealer, clock }: FactorContext, person: Person, code: string): number {
  const secret = sealer.open(person.totp_sealed ?? '', factorPlace(person.id))
  const when = { now: clock.now(), after: person.totp_step ?? 0 }
  const step = totpStep(secret, code.replaceAll(/\s/g, ''), when)
  if (step === undefined) {
    throw FACTOR_WRONG()
  }
  return step
}

/** Who signs in elsewhere has no password here, so they must just have done so. */
/** PASSWORD_WRONG; without a password a session of the last quarter of an hour has to do. */
export async function refuseUnproven(
  { clock }: Pick<FactorContext, 'clock'>,
  { person, session, password }: Proof,
): Promise<void> {
  if (person.password === null) {
    if (clock.now() - session.startedAt > FRESH_MS) {
      throw SESSION_TOO_OLD()
    }
    return
  }
  if (!(await isPassword(password, person.password))) {
    throw PASSWORD_WRONG()
  }
}

async function personIn(db: Kysely<Tables>, id: string): Promise<Person> {
  return await db.selectFrom('people').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
}

function newCodes() {
  const codes = Array.from({ length: RECOVERY_CODES }, () => randomText(9))
  return { codes, recovery: JSON.stringify(codes.map(hashOf)) }
}

/** The row's own: a secret that is copied to another account does not open there. */
export function factorPlace(personId = ''): string {
  return `people/${personId}/totp`
}

function hashOf(code: string): string {
  return createHash('sha256').update(code).digest('hex')
}

import {
  type AuthenticationResponseJSON,
  type AuthenticatorTransport,
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server'
import type { Kysely } from 'kysely'
import type { Clock } from '#lib/clock.ts'
import type { Tables } from '#manager/store/tables.ts'
import { PASSKEY_REFUSED, TOO_MANY_PASSKEYS } from './passkey-errors.ts'
import type { RelyingParty } from './relying-party.ts'
import { activePerson, type Person } from './sessions.ts'

interface PasskeysContext {
  readonly db: Kysely<Tables>
  readonly clock: Clock
}

/** What a device answered, and to which challenge. */
interface Answer<T> {
  readonly site: RelyingParty
  readonly challenge: string
  readonly response: T
}

const MOST = 20
/** EdDSA, ES256 and RS256, which is all that devices have. */
const ALGORITHMS = [-8, -7, -257]

/** For the browser of a person who wants a passkey: of a device that asks who is there, and finds it by itself. */
export async function beginPasskey({ db }: PasskeysContext, site: RelyingParty, person: Person) {
  const own = await db.selectFrom('passkeys').selectAll().where('person_id', '=', person.id).execute()
  if (own.length >= MOST) {
    throw TOO_MANY_PASSKEYS(MOST)
  }
  return await generateRegistrationOptions({
    rpName: 'Fairlead',
    rpID: site.id,
    userID: Buffer.from(person.id),
    userName: person.email,
    userDisplayName: person.name,
    attestationType: 'none',
    supportedAlgorithmIDs: ALGORITHMS,
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    excludeCredentials: own.map(({ id, transports }) => ({ id, transports: transportsIn(transports) })),
  })
}

/** Keeps the key of the device. PASSKEY_REFUSED for an answer to another challenge, site or browser. */
export async function keepPasskey(
  { db, clock }: PasskeysContext,
  { site, challenge, response }: Answer<RegistrationResponseJSON>,
  { person, name }: { readonly person: Person; readonly name: string },
): Promise<void> {
  const { registrationInfo } = await orRefused(
    verifyRegistrationResponse({
      response,
      expectedChallenge: challenge,
      expectedOrigin: site.origin,
      expectedRPID: site.id,
      requireUserVerification: true,
      supportedAlgorithmIDs: ALGORITHMS,
    }),
  )
  const { id, publicKey, counter, transports = [] } = registrationInfo?.credential ?? {}
  if (id === undefined || publicKey === undefined) {
    throw PASSKEY_REFUSED()
  }
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('passkeys')
    .values({
      ...{ id, name, person_id: person.id, public_key: Buffer.from(publicKey).toString('base64url') },
      ...{ counter: counter ?? 0, transports: JSON.stringify(transports) },
      ...{ created_at: clock.now(), used_at: null },
    })
    // A device makes an id anew each time: one that is there is somebody else's answer.
    .onConflict(conflict => conflict.column('id').doNothing())
    .executeTakeFirst()
  if (numInsertedOrUpdatedRows === 0n) {
    throw PASSKEY_REFUSED()
  }
}

/** For a browser in which nobody is signed in: whichever passkey of this site its devices have. */
export async function beginPasskeySignIn(site: RelyingParty) {
  return await generateAuthenticationOptions({ rpID: site.id, userVerification: 'required' })
}

/** Whose passkey answered: the device had looked who is there, so nothing else is asked for. PASSKEY_REFUSED otherwise. */
export async function personOfPasskey(
  { db, clock }: PasskeysContext,
  { site, challenge, response }: Answer<AuthenticationResponseJSON>,
): Promise<Person> {
  const row = await db.selectFrom('passkeys').selectAll().where('id', '=', response.id).executeTakeFirst()
  const person = row && (await activePerson(db, row.person_id))
  if (!row || !person) {
    throw PASSKEY_REFUSED()
  }
  const { verified, authenticationInfo } = await orRefused(
    verifyAuthenticationResponse({
      response,
      expectedChallenge: challenge,
      expectedOrigin: site.origin,
      expectedRPID: site.id,
      requireUserVerification: true,
      credential: {
        id: row.id,
        publicKey: new Uint8Array(Buffer.from(row.public_key, 'base64url')),
        counter: row.counter,
        transports: transportsIn(row.transports),
      },
    }),
  )
  if (!verified) {
    throw PASSKEY_REFUSED()
  }
  await db
    .updateTable('passkeys')
    .set({ counter: authenticationInfo.newCounter, used_at: clock.now() })
    .where('id', '=', row.id)
    .execute()
  return person
}

/** What is malformed, of another site or a copy that counts backwards is refused alike: a stranger learns nothing. */
async function orRefused<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw PASSKEY_REFUSED().with({ cause: error })
  }
}

function transportsIn(json: string): AuthenticatorTransport[] {
  return JSON.parse(json) as AuthenticatorTransport[]
}

import type { Kysely } from 'kysely'
import type { RoleName } from '#contract/rest/people.ts'
import type { Clock } from '#lib/clock.ts'
import { newId } from '#lib/id.ts'
import type { Tables } from '#manager/store/tables.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { LAST_ADMIN } from './errors.ts'
import { changePerson } from './manage.ts'
import { PROVIDER_ACCOUNT_UNKNOWN } from './provider-errors.ts'
import type { Provider } from './providers.ts'
import { highest } from './roles.ts'
import { activePerson, type Person } from './sessions.ts'

/** What a provider says of a person. */
export interface Claims {
  readonly sub: string
  readonly email?: unknown
  readonly email_verified?: unknown
  readonly name?: unknown
  readonly [claim: string]: unknown
}

interface AccountContext {
  readonly db: Kysely<Tables>
  readonly clock: Clock
}

/**
 * Whose account here it is. An account is found by what the provider calls it for ever; by the e-mail address once, where
 * that is allowed and the provider has verified it: an address alone is nobody's proof.
 */
export async function personOfClaims(
  context: AccountContext,
  provider: Provider,
  claims: Claims,
): Promise<Person> {
  const id = await inTransaction(context.db, async inside => {
    const known = await inside
      .selectFrom('provider_accounts')
      .select('person_id')
      .where('issuer', '=', provider.issuer)
      .where('subject', '=', claims.sub)
      .executeTakeFirst()
    if (known) {
      return known.person_id
    }
    const person_id = await firstSeen({ ...context, db: inside }, provider, claims)
    const account = { issuer: provider.issuer, subject: claims.sub, person_id }
    await inside
      .insertInto('provider_accounts')
      .values({ ...account, created_at: context.clock.now() })
      .execute()
    return person_id
  })
  await bringRole(context, id, roleIn(provider, claims))
  const person = await activePerson(context.db, id)
  if (!person) {
    throw unknown(provider, claims)
  }
  return person
}

async function firstSeen({ db, clock }: AccountContext, provider: Provider, claims: Claims): Promise<string> {
  const { link_by_email, makes_accounts } = provider.settings
  const email = verifiedEmail(claims)
  const found =
    email === undefined
      ? undefined
      : await db
          .selectFrom('people')
          .select(['id', 'disabled_at'])
          .where('email', '=', email)
          .executeTakeFirst()
  if (found && link_by_email && found.disabled_at === null) {
    return found.id
  }
  if (found || email === undefined || !makes_accounts) {
    throw unknown(provider, claims)
  }
  const id = newId()
  const name = typeof claims.name === 'string' ? plain(claims.name) : ''
  const person = { id, name: name === '' ? email : name, email, role: null, created_at: clock.now() }
  await db.insertInto('people').values(person).execute()
  return id
}

/** As the API takes them, so that nothing gets in here that does not get in there. */
const EMAIL = /^[^@\s]{1,64}@[^@\s]{1,189}$/

function verifiedEmail({ email, email_verified }: Claims): string | undefined {
  const text = typeof email === 'string' ? email.toLowerCase() : ''
  return email_verified === true && EMAIL.test(text) ? text : undefined
}

function plain(text: string): string {
  return text
    .replaceAll(/\p{Cc}/gu, ' ')
    .trim()
    .slice(0, 100)
}

/** Undefined: roles are given here. */
function roleIn({ settings }: Provider, claims: Claims): RoleName | null | undefined {
  if (settings.role_claim === null) {
    return undefined
  }
  const given = [claims[settings.role_claim]].flat()
  return highest(...given.map(each => new Map(Object.entries(settings.roles)).get(String(each))))
}

async function bringRole(
  context: AccountContext,
  id: string,
  role: RoleName | null | undefined,
): Promise<void> {
  if (role === undefined) {
    return
  }
  try {
    await changePerson(context, id, { role })
  } catch (error) {
    // A provider that forgets its groups must not leave the manager without anybody who can mend that.
    if (!LAST_ADMIN.matches(error)) {
      throw error
    }
  }
}

function unknown({ name, settings }: Provider, claims: Claims) {
  const isVerified = verifiedEmail(claims) !== undefined
  const email = typeof claims.email === 'string' ? plain(claims.email) : ''
  return PROVIDER_ACCOUNT_UNKNOWN(
    name,
    email,
    isVerified || !(settings.link_by_email || settings.makes_accounts),
  )
}

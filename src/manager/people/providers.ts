import type { Kysely, Selectable } from 'kysely'
import type { RoleName } from '#contract/rest/people.ts'
import type { ProviderBody } from '#contract/rest/providers.ts'
import type { Clock } from '#lib/clock.ts'
import { newId } from '#lib/id.ts'
import type { Sealer } from '#manager/secrets/seal.ts'
import type { SignInTables } from '#manager/store/provider-tables.ts'
import type { Tables } from '#manager/store/tables.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { PROVIDER_NOT_FOUND } from './provider-errors.ts'

/** What is taken from what a provider says. */
export interface ProviderSettings {
  readonly scopes: string
  readonly link_by_email: boolean
  readonly makes_accounts: boolean
  readonly role_claim: string | null
  readonly roles: Readonly<Record<string, RoleName>>
}

export interface Provider {
  readonly id: string
  readonly name: string
  readonly issuer: string
  readonly clientId: string
  /** null: the provider knows this client without one. */
  readonly clientSecret: string | null
  readonly settings: ProviderSettings
}

interface ProviderContext {
  readonly db: Kysely<Tables>
  readonly clock: Clock
  readonly sealer: Sealer
}

type Readers = Pick<ProviderContext, 'db' | 'sealer'>

export async function listProviders({ db, sealer }: Readers): Promise<Provider[]> {
  const rows = await db.selectFrom('providers').selectAll().orderBy('name').execute()
  return rows.map(row => providerFrom(row, sealer))
}

/** The provider with this name, or PROVIDER_NOT_FOUND. */
export async function readProvider({ db, sealer }: Readers, name: string): Promise<Provider> {
  const row = await db.selectFrom('providers').selectAll().where('name', '=', name).executeTakeFirst()
  if (!row) {
    throw PROVIDER_NOT_FOUND(name)
  }
  return providerFrom(row, sealer)
}

/** What would be kept of a body: a secret that is not given stays, while issuer and client are the same. */
export async function wantedProvider(
  context: ProviderContext,
  name: string,
  body: ProviderBody,
): Promise<Provider> {
  const before = (await listProviders(context)).find(each => each.name === name)
  const isSame = before?.issuer === body.issuer && before.clientId === body.client_id
  const { client_secret: given = isSame ? before.clientSecret : null } = body
  return {
    id: before?.id ?? newId(),
    name,
    issuer: body.issuer,
    clientId: body.client_id,
    clientSecret: given,
    settings: {
      scopes: body.scopes ?? 'openid email profile',
      link_by_email: body.link_by_email ?? false,
      makes_accounts: body.makes_accounts ?? false,
      role_claim: body.role_claim ?? null,
      roles: body.roles ?? {},
    },
  }
}

export async function storeProvider(
  { db, clock, sealer }: ProviderContext,
  { id, name, issuer, clientId, clientSecret, settings }: Provider,
): Promise<void> {
  const secret_sealed = clientSecret === null ? null : sealer.seal(clientSecret, providerPlace(id))
  const row = { id, name, issuer, client_id: clientId, secret_sealed, settings: JSON.stringify(settings) }
  await inTransaction(db, async inside => {
    await inside.deleteFrom('providers').where('name', '=', name).execute()
    await inside
      .insertInto('providers')
      .values({ ...row, created_at: clock.now() })
      .execute()
  })
}

/** Who came by it keeps the account here, and which account there is theirs. */
export async function removeProvider({ db }: Pick<ProviderContext, 'db'>, name: string): Promise<void> {
  const { numDeletedRows } = await db
    .deleteFrom('providers')
    .where('name', '=', name)
    .executeTakeFirstOrThrow()
  if (numDeletedRows === 0n) {
    throw PROVIDER_NOT_FOUND(name)
  }
}

export function providerPlace(id = ''): string {
  return `providers/${id}`
}

function providerFrom(row: Selectable<SignInTables['providers']>, sealer: Sealer): Provider {
  return {
    id: row.id,
    name: row.name,
    issuer: row.issuer,
    clientId: row.client_id,
    clientSecret: row.secret_sealed === null ? null : sealer.open(row.secret_sealed, providerPlace(row.id)),
    settings: JSON.parse(row.settings) as ProviderSettings,
  }
}

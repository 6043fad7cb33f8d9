import type { Kysely } from 'kysely'
import type { Clock } from '#lib/clock.ts'
import type { Tables } from '#manager/store/tables.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { SECRET_REVISION_GONE } from './errors.ts'
import { isOfFile, valuesOfFiles } from './file-secrets.ts'
import type { Sealer } from './seal.ts'
import { openShared, sharedRevisions, sharedSecretsOf } from './shared.ts'

export interface SecretsContext {
  readonly db: Kysely<Tables>
  readonly clock: Clock
  readonly sealer: Sealer
}

export interface SecretRecord {
  readonly name: string
  readonly revision: number
  readonly updatedAt: number
}

/** Names and revisions of an app's secrets; the values never leave towards a person. */
export async function listSecrets(db: Kysely<Tables>, appId: string): Promise<SecretRecord[]> {
  const rows = await db
    .selectFrom('secrets')
    .select(['name', 'revision', 'updated_at'])
    .where('app_id', '=', appId)
    .orderBy('name')
    .execute()
  return rows.map(row => ({ name: row.name, revision: row.revision, updatedAt: row.updated_at }))
}

/** Stores a secret sealed, as one more revision; it takes effect with the next deployment. */
export async function setSecret(
  context: SecretsContext,
  secret: { readonly appId: string; readonly name: string; readonly value: string },
): Promise<SecretRecord> {
  const { appId, name } = secret
  const now = context.clock.now()
  const value_sealed = context.sealer.seal(secret.value, secretPlace(appId, name))
  return await inTransaction(context.db, async db => {
    // Not from the secret itself: one that was deleted and set again goes on counting.
    const { last } = await db
      .selectFrom('secret_revisions')
      .select(({ fn }) => fn.max('revision').as('last'))
      .where('app_id', '=', appId)
      .where('name', '=', name)
      .executeTakeFirstOrThrow()
    const revision = (last ?? 0) + 1
    const row = { app_id: appId, name, revision, value_sealed }
    await db
      .insertInto('secrets')
      .values({ ...row, updated_at: now })
      .onConflict(conflict =>
        conflict.columns(['app_id', 'name']).doUpdateSet({ value_sealed, revision, updated_at: now }),
      )
      .execute()
    await db
      .insertInto('secret_revisions')
      .values({ ...row, created_at: now })
      .execute()
    return { name, revision, updatedAt: now }
  })
}

/** Whether there was such a secret. Releases that can be gone back to keep the values that they were made with. */
export async function deleteSecret(db: Kysely<Tables>, appId: string, name: string): Promise<boolean> {
  const result = await db
    .deleteFrom('secrets')
    .where('app_id', '=', appId)
    .where('name', '=', name)
    .executeTakeFirst()
  return result.numDeletedRows > 0n
}

/** Values by name, and the revision of each. */
export interface OpenSecrets {
  readonly values: Readonly<Record<string, string>>
  readonly revisions: SecretRevisions
}

/** By name: the number of a value of the app's own, the id of one that it shares with others, or a mark of one from an encrypted file. */
export type SecretRevisions = Readonly<Record<string, number | string>>

/**
 * The secrets that an app may use now: its own go before those of encrypted files of its commit, these before those of
 * its repository, and these before its host's.
 */
export async function presentSecrets(
  context: Omit<SecretsContext, 'clock'>,
  appId: string,
  files: OpenSecrets = { values: {}, revisions: {} },
): Promise<OpenSecrets> {
  const [own, app] = await Promise.all([
    ownSecrets(context, appId),
    context.db
      .selectFrom('apps')
      .select(['repository_id', 'host'])
      .where('id', '=', appId)
      .executeTakeFirst(),
  ])
  const shared = app ? await sharedSecretsOf(context.db, app) : new Map()
  return joined(context.sealer, shared, {
    values: { ...files.values, ...own.values },
    revisions: { ...files.revisions, ...own.revisions },
  })
}

/** As presentSecrets, without opening one. */
export async function presentRevisions(
  db: Kysely<Tables>,
  app: { readonly id: string; readonly repository_id: string | null; readonly host: string },
): Promise<SecretRevisions> {
  const [own, shared] = await Promise.all([listSecrets(db, app.id), sharedSecretsOf(db, app)])
  return {
    ...Object.fromEntries([...shared].map(([name, { id }]) => [name, id])),
    ...Object.fromEntries(own.map(({ name, revision }) => [name, revision])),
  }
}

/** What was set for this very app. */
export async function ownSecrets(
  { db, sealer }: Omit<SecretsContext, 'clock'>,
  appId: string,
): Promise<OpenSecrets> {
  const rows = await db
    .selectFrom('secrets')
    .select(['name', 'revision', 'value_sealed'])
    .where('app_id', '=', appId)
    .execute()
  return {
    values: Object.fromEntries(
      rows.map(({ name, value_sealed }) => [name, sealer.open(value_sealed, secretPlace(appId, name))]),
    ),
    revisions: Object.fromEntries(rows.map(({ name, revision }) => [name, revision])),
  }
}

/** The secrets of an earlier release; SECRET_REVISION_GONE when one of them is no longer kept. */
export async function secretsOfRelease(
  { db, sealer }: Omit<SecretsContext, 'clock'>,
  appId: string,
  revisions: SecretRevisions,
): Promise<OpenSecrets> {
  const rows = await db.selectFrom('secret_revisions').selectAll().where('app_id', '=', appId).execute()
  const named = Object.entries(revisions).filter(
    (each): each is [string, string] => typeof each[1] === 'string',
  )
  const ofFiles = Object.fromEntries(named.filter(([, each]) => isOfFile(each)))
  const ids = Object.fromEntries(named.filter(([, each]) => !isOfFile(each)))
  const own = Object.entries(revisions).filter(([, each]) => typeof each === 'number')
  const values = own.map(([name, revision]) => {
    const row = rows.find(each => each.name === name && each.revision === revision)
    if (!row) {
      throw SECRET_REVISION_GONE(name, revision)
    }
    return [name, sealer.open(row.value_sealed, secretPlace(appId, name))] as const
  })
  return joined(sealer, await sharedRevisions(db, ids), {
    values: { ...(await valuesOfFiles({ db, sealer }, appId, ofFiles)), ...Object.fromEntries(values) },
    revisions: { ...ofFiles, ...Object.fromEntries(own) },
  })
}

function joined(
  sealer: Sealer,
  shared: Awaited<ReturnType<typeof sharedSecretsOf>>,
  own: OpenSecrets,
): OpenSecrets {
  const rest = [...shared].filter(([name]) => !Object.hasOwn(own.values, name))
  return {
    values: {
      ...Object.fromEntries(rest.map(([name, row]) => [name, openShared(sealer, row)])),
      ...own.values,
    },
    revisions: { ...Object.fromEntries(rest.map(([name, row]) => [name, row.id])), ...own.revisions },
  }
}

/** What a value is sealed for. */
export function secretPlace(appId: string, name: string): string {
  return `secrets/${appId}/${name}`
}

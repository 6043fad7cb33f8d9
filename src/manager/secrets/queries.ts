import type { Kysely } from 'kysely'
import type { Clock } from '#lib/clock.ts'
import type { Tables } from '#manager/store/tables.ts'
import type { Sealer } from './seal.ts'

interface SecretsContext {
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

/** Stores a secret sealed. Its revision goes up with each new value; it takes effect with the next deployment. */
export async function setSecret(
  context: SecretsContext,
  secret: { readonly appId: string; readonly name: string; readonly value: string },
): Promise<SecretRecord> {
  const { appId, name } = secret
  const now = context.clock.now()
  const value_sealed = context.sealer.seal(secret.value, `secrets/${appId}/${name}`)
  const row = await context.db
    .insertInto('secrets')
    .values({ app_id: appId, name, value_sealed, revision: 1, updated_at: now })
    .onConflict(conflict =>
      conflict
        .columns(['app_id', 'name'])
        .doUpdateSet(eb => ({ value_sealed, revision: eb('secrets.revision', '+', 1), updated_at: now })),
    )
    .returning('revision')
    .executeTakeFirstOrThrow()
  return { name, revision: row.revision, updatedAt: now }
}

/** Whether there was such a secret. */
export async function deleteSecret(db: Kysely<Tables>, appId: string, name: string): Promise<boolean> {
  const result = await db
    .deleteFrom('secrets')
    .where('app_id', '=', appId)
    .where('name', '=', name)
    .executeTakeFirst()
  return result.numDeletedRows > 0n
}

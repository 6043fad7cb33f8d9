import { type Kysely, type Selectable, sql } from 'kysely'
import { newId } from '#lib/id.ts'
import type { SharedSecretTable } from '#manager/store/shared-secret-table.ts'
import type { Tables } from '#manager/store/tables.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { SECRET_REVISION_GONE } from './errors.ts'
import type { SecretRecord, SecretsContext } from './queries.ts'
import type { Sealer } from './seal.ts'

type SharedSecret = Selectable<SharedSecretTable>

/** Whose apps may use a secret. */
export type SecretScope = { readonly repository_id: string } | { readonly host: string }

export async function listSharedSecrets(db: Kysely<Tables>, scope: SecretScope): Promise<SecretRecord[]> {
  const rows = await presentOf(db, scope).orderBy('name').execute()
  return rows.map(({ name, revision, created_at }) => ({ name, revision, updatedAt: created_at }))
}

/** Stores a secret sealed, as one more revision; each app takes it with its next deployment. */
export async function setSharedSecret(
  { db, clock, sealer }: SecretsContext,
  scope: SecretScope,
  { name, value }: { readonly name: string; readonly value: string },
): Promise<SecretRecord> {
  const [id, now] = [newId(), clock.now()]
  const value_sealed = sealer.seal(value, sharedSecretPlace(id))
  return await inTransaction(db, async transaction => {
    const { last } = await rowsOf(transaction, scope)
      .select(({ fn }) => fn.max('revision').as('last'))
      .where('name', '=', name)
      .executeTakeFirstOrThrow()
    await forgetPresent(transaction, scope, name)
    const revision = (last ?? 0) + 1
    const owner = { repository_id: null, host: null, ...scope }
    await transaction
      .insertInto('shared_secrets')
      .values({ id, ...owner, name, revision, value_sealed, is_present: 1, created_at: now })
      .execute()
    return { name, revision, updatedAt: now }
  })
}

/** Whether there was such a secret. Releases that can be gone back to keep the values that they were made with. */
export async function deleteSharedSecret(
  db: Kysely<Tables>,
  scope: SecretScope,
  name: string,
): Promise<boolean> {
  return await forgetPresent(db, scope, name)
}

/** What an app may use besides its own, by name: what its repository has goes before what its host has. */
export async function sharedSecretsOf(
  db: Kysely<Tables>,
  { repository_id, host }: { readonly repository_id: string | null; readonly host: string },
): Promise<ReadonlyMap<string, SharedSecret>> {
  const ofHost = await presentOf(db, { host }).execute()
  const ofRepository = repository_id === null ? [] : await presentOf(db, { repository_id }).execute()
  return new Map([...ofHost, ...ofRepository].map(row => [row.name, row]))
}

export function openShared(sealer: Sealer, { id, value_sealed }: SharedSecret): string {
  return sealer.open(value_sealed, sharedSecretPlace(id))
}

/** The very values that a release was made with, by id. */
export async function sharedRevisions(
  db: Kysely<Tables>,
  ids: Readonly<Record<string, string>>,
): Promise<ReadonlyMap<string, SharedSecret>> {
  const wanted = Object.entries(ids)
  const rows =
    wanted.length === 0
      ? []
      : await db.selectFrom('shared_secrets').selectAll().where('id', 'in', Object.values(ids)).execute()
  return new Map(
    wanted.map(([name, id]) => {
      const row = rows.find(each => each.id === id)
      if (!row) {
        throw SECRET_REVISION_GONE(name, 'shared')
      }
      return [name, row] as const
    }),
  )
}

/** A value that no release was made with and that nobody has any more is of use to nobody but a thief. */
export async function forgetSharedRevisions(db: Kysely<Tables>): Promise<void> {
  await db
    .deleteFrom('shared_secrets')
    .where('is_present', '=', 0)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('releases')
            .select('releases.id')
            .where(sql<boolean>`instr(releases.secrets, shared_secrets.id) > 0`),
        ),
      ),
    )
    // Such a deployment may have read a value that was replaced since, and its release will name it.
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('deployments').select('deployments.id').where('state', 'in', ['running', 'waiting']),
        ),
      ),
    )
    .execute()
}

async function forgetPresent(db: Kysely<Tables>, scope: SecretScope, name: string): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('shared_secrets')
    .set({ is_present: 0 })
    .where('name', '=', name)
    .where('is_present', '=', 1)
    .where(eb => eb.and(scope))
    .executeTakeFirstOrThrow()
  return numUpdatedRows > 0n
}

function presentOf(db: Kysely<Tables>, scope: SecretScope) {
  return rowsOf(db, scope).selectAll().where('is_present', '=', 1)
}

function rowsOf(db: Kysely<Tables>, scope: SecretScope) {
  return db.selectFrom('shared_secrets').where(eb => eb.and(scope))
}

/** The row's own: a value that is copied to another row does not open there. */
/** What a value is sealed for. */
export function sharedSecretPlace(id: string): string {
  return `shared-secrets/${id}`
}

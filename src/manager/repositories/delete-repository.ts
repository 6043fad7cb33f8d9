import { VERSION_CHANGED } from '#manager/apps/errors.ts'
import { appsOfRepository } from '#manager/apps/queries.ts'
import { reportPlace } from '#manager/outbox/put.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { REPOSITORY_IN_USE } from './errors.ts'
import { repositoryNamed } from './queries.ts'

/** Deletes a repository that no app is deployed from, with its webhook and credential. */
export async function deleteRepository(
  parts: ManagerParts,
  wanted: { readonly name: string; readonly version: number | undefined },
): Promise<void> {
  const row = await repositoryNamed(parts.db, wanted.name)
  await inTransaction(parts.db, async db => {
    const apps = await appsOfRepository(db, row.id)
    if (apps.length > 0) {
      throw REPOSITORY_IN_USE(
        row.name,
        apps.map(app => app.name),
      )
    }
    const result = await db
      .deleteFrom('repositories')
      .where('id', '=', row.id)
      .where('version', '=', wanted.version ?? row.version)
      .executeTakeFirst()
    if (result.numDeletedRows === 0n) {
      throw VERSION_CHANGED(`The repository "${row.name}"`, row.version)
    }
    if (row.organisation_id !== null) {
      // Its next listing is taken in whole, so that the repository can come back with it.
      await db
        .updateTable('organisations')
        .set({ etag: null })
        .where('id', '=', row.organisation_id)
        .execute()
    }
    await db.deleteFrom('outbox').where('place', '=', reportPlace(row.id)).execute()
  })
  await parts.outbox.refresh()
  parts.poller.forget(row.id)
  parts.events.publish('repository', { id: row.id, repository: row.name, state: 'removed' })
}

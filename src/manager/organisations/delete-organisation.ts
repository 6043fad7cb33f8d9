import { VERSION_CHANGED } from '#manager/apps/errors.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { OWNER_NOT_ALLOWED } from './errors.ts'
import { organisationNamed } from './queries.ts'
import { stopRepository } from './stop-repository.ts'

/** Takes an organisation off the list: nothing of it is deployed any more, what runs goes on. */
export async function deleteOrganisation(
  parts: ManagerParts,
  wanted: { readonly name: string; readonly version: number | undefined },
): Promise<void> {
  const row = await inTransaction(parts.db, async db => {
    const organisation = await organisationNamed(db, wanted.name)
    if (wanted.version !== undefined && wanted.version !== organisation.version) {
      throw VERSION_CHANGED(`The organisation "${wanted.name}"`, organisation.version)
    }
    const repositories = await db
      .selectFrom('repositories')
      .select(['id', 'name', 'stopped'])
      .where('organisation_id', '=', organisation.id)
      .execute()
    for (const repository of repositories) {
      await stopRepository(
        { db, events: parts.events },
        repository,
        OWNER_NOT_ALLOWED(organisation.owner, organisation.server),
      )
    }
    await db
      .updateTable('repositories')
      .set({ credential_sealed: null })
      .where('organisation_id', '=', organisation.id)
      .where('org_credential', '=', 1)
      .execute()
    await db.deleteFrom('organisations').where('id', '=', organisation.id).execute()
    return organisation
  })
  parts.events.publish('organisation', { id: row.id, organisation: row.name, state: 'removed' })
}

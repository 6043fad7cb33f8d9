import type { OrganisationChange } from '#contract/rest/organisations.ts'
import { VERSION_CHANGED } from '#manager/apps/errors.ts'
import { hostFor } from '#manager/apps/host-for.ts'
import type { Change } from '#manager/apps/update-app.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { sealedCredential } from '#manager/repositories/remote-fields.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { credentialOf, type OrganisationRecord, organisationNamed, tokenPlace } from './queries.ts'

/** Changes an organisation; it is listed again soon. A new token is at once that of the repositories which have its old one. */
export async function updateOrganisation(
  parts: ManagerParts,
  wanted: Change<OrganisationChange>,
): Promise<OrganisationRecord> {
  const { clock, events, sealer } = parts
  const { token, ca, host, discovery, marker } = wanted.change
  await inTransaction(parts.db, async db => {
    const row = await organisationNamed(db, wanted.name)
    if (wanted.version !== undefined && wanted.version !== row.version) {
      throw VERSION_CHANGED(`The organisation "${wanted.name}"`, row.version)
    }
    await db
      .updateTable('organisations')
      .set({
        ...(token === undefined
          ? {}
          : { credential_sealed: token === null ? null : sealer.seal(token, tokenPlace(row.id)) }),
        ...(ca === undefined ? {} : { ca }),
        ...(host === undefined ? {} : { host: await hostFor(db, host) }),
        ...(discovery === undefined ? {} : { discovery: discovery ? 1 : 0 }),
        ...(marker === undefined ? {} : { marker }),
        etag: null,
        failures: 0,
        due_at: clock.now(),
        version: row.version + 1,
        updated_at: clock.now(),
      })
      .where('id', '=', row.id)
      .execute()
    if (token === undefined) {
      return
    }
    const credential = credentialOf(await organisationNamed(db, wanted.name), sealer)
    const sharing = await db
      .selectFrom('repositories')
      .select('id')
      .where('organisation_id', '=', row.id)
      .where('org_credential', '=', 1)
      .execute()
    for (const { id } of sharing) {
      await db
        .updateTable('repositories')
        .set({
          credential_sealed: credential ? sealedCredential(id, credential, sealer) : null,
          poll_failures: 0,
        })
        .where('id', '=', id)
        .execute()
    }
  })
  const now = await organisationNamed(parts.db, wanted.name)
  events.publish('organisation', { id: now.id, organisation: now.name, state: 'changed' })
  return now
}

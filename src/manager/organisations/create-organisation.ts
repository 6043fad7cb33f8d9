import type { NewOrganisation } from '#contract/rest/organisations.ts'
import { GIT_HOSTS } from '#git-hosts/index.ts'
import { newId } from '#lib/id.ts'
import { hostFor } from '#manager/apps/host-for.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { isConstraintViolation } from '#manager/store/store-error.ts'
import { authorityOf, parseRepositoryUrl } from '#programs/git-url.ts'
import { askHost } from './ask-host.ts'
import { GIT_HOST_WITHOUT_API, ORGANISATION_EXISTS, ORGANISATION_NOT_FOUND } from './errors.ts'
import {
  apiOf,
  type OrganisationRecord,
  type OrganisationRow,
  organisationNamed,
  placeOf,
  tokenPlace,
} from './queries.ts'

/** Puts an organisation on the list, under the id that its Git host gives for the name now; it is listed soon. */
export async function createOrganisation(
  parts: ManagerParts,
  wanted: NewOrganisation,
): Promise<OrganisationRecord> {
  const { db, clock, events, sealer, http } = parts
  const id = newId()
  const now = clock.now()
  const row: OrganisationRow = {
    id,
    name: wanted.name,
    git_host: wanted.git_host,
    server: serverFor(parts, wanted),
    owner: wanted.owner ?? wanted.name,
    remote_id: '',
    credential_sealed: wanted.token === undefined ? null : sealer.seal(wanted.token, tokenPlace(id)),
    ca: wanted.ca ?? null,
    host: await hostFor(db, wanted.host),
    discovery: wanted.discovery ? 1 : 0,
    marker: wanted.marker ?? 'topic',
    etag: null,
    listed_at: null,
    due_at: now,
    failures: 0,
    problem: null,
    version: 1,
    created_at: now,
    updated_at: now,
  }
  const api = apiOf(row)
  const answer = await askHost({ http, server: row.server, ca: row.ca }, api.owner(placeOf(row, sealer)))
  if (answer.kind !== 'found') {
    throw ORGANISATION_NOT_FOUND(row.owner, row.server)
  }
  const owner = api.readOwner(answer.body)
  try {
    await db
      .insertInto('organisations')
      .values({ ...row, remote_id: owner.id, owner: owner.path })
      .execute()
  } catch (error) {
    throw isConstraintViolation(error) ? ORGANISATION_EXISTS(wanted.name) : error
  }
  events.publish('organisation', { id, organisation: row.name, state: 'created' })
  return await organisationNamed(db, row.name)
}

/** host or host:port in its one form; the public server of the kind when none is named. */
function serverFor({ config }: ManagerParts, { git_host, server }: NewOrganisation): string {
  const given = server ?? GIT_HOSTS.find(each => each.name === git_host)?.sites?.[0]
  if (given === undefined) {
    throw GIT_HOST_WITHOUT_API(git_host)
  }
  return authorityOf(parseRepositoryUrl(`https://${given}/x`, { allowPrivate: config.allowPrivate }))
}

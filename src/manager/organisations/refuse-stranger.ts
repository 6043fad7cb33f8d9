import type { Selectable } from 'kysely'
import { FairleadError, type WireError } from '#lib/errors.ts'
import type { PipelineParts } from '#manager/pipeline/step.ts'
import type { RepositoryTable } from '#manager/store/tables.ts'
import { parseRepositoryUrl } from '#programs/git-url.ts'
import { REPOSITORY_LEFT, REPOSITORY_NOT_SEEN } from './errors.ts'
import { pathIn, seenRepository } from './origin.ts'
import type { OrganisationRow } from './queries.ts'
import { stopAndTell } from './stop-repository.ts'

type RepositoryRow = Selectable<RepositoryTable>

/**
 * Throws unless the repository may be deployed now. One of an organisation is asked for at its Git host each time, by
 * its address: only if that still has the id that was registered, what is behind it is what was allowed.
 */
export async function refuseStranger(parts: PipelineParts, repository: RepositoryRow): Promise<void> {
  if (repository.stopped !== null) {
    throw new FairleadError(JSON.parse(repository.stopped) as WireError)
  }
  const organisation = await organisationOf(parts, repository)
  if (!organisation) {
    return
  }
  const path = pathIn(parseRepositoryUrl(repository.url, { allowPrivate: EVERYWHERE }))
  if ((await idOf(parts, organisation, path)) === repository.remote_id) {
    return
  }
  const left = REPOSITORY_LEFT(path, organisation.name)
  await stopAndTell(parts, organisation.name, [{ repository, why: left }])
  // Perhaps it was only renamed: its listing tells, and lets it go on.
  await parts.db
    .updateTable('organisations')
    .set({ due_at: parts.clock.now(), etag: null })
    .where('id', '=', organisation.id)
    .execute()
  throw left
}

/** The address was checked when it was stored. */
const EVERYWHERE = ['0.0.0.0/0', '::/0']

async function organisationOf(
  { db }: PipelineParts,
  { organisation_id: id }: RepositoryRow,
): Promise<OrganisationRow | undefined> {
  return id === null
    ? undefined
    : await db.selectFrom('organisations').selectAll().where('id', '=', id).executeTakeFirst()
}

async function idOf(
  parts: PipelineParts,
  organisation: OrganisationRow,
  path: string,
): Promise<string | undefined> {
  try {
    return (await seenRepository(parts, organisation, path)).id
  } catch (error) {
    if (REPOSITORY_NOT_SEEN.matches(error)) {
      return undefined
    }
    throw error
  }
}

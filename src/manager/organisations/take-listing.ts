import type { Selectable } from 'kysely'
import { appNameOf } from '#deploy-file/conventions.ts'
import type { RemoteRepository } from '#git-hosts/host-api.ts'
import { isAddressOf, serverOf } from '#git-hosts/repository-path.ts'
import { asFairleadError } from '#lib/errors.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { createRepository, privateColumn } from '#manager/repositories/create-repository.ts'
import { REPOSITORY_EXISTS } from '#manager/repositories/errors.ts'
import { sealedCredential } from '#manager/repositories/remote-fields.ts'
import type { RepositoryTable } from '#manager/store/tables.ts'
import { parseRepositoryUrl } from '#programs/git-url.ts'
import { REPOSITORY_LEFT } from './errors.ts'
import { isMarked } from './listing.ts'
import { pathIn } from './origin.ts'
import { credentialOf, type OrganisationRow } from './queries.ts'
import { type Stop, stopAndTell } from './stop-repository.ts'

export type Outcome =
  | 'known'
  | 'renamed'
  | 'resumed'
  | 'stopped'
  | 'registered'
  | 'not-marked'
  | 'discovery-off'
  | 'name-taken'
  | 'refused'
  | NonNullable<RemoteRepository['unfit']>

/** What became of one repository, and under which name it is registered. */
export interface Found {
  readonly path: string
  readonly outcome: Outcome
  readonly repository: string | undefined
  /** Why it was refused. */
  readonly reason?: string
}

const REFUSALS = ['REPOSITORY_URL_REFUSED', 'PRIVATE_ADDRESS', 'BRANCH_NAME_REFUSED']

type Registered = Selectable<RepositoryTable>

/**
 * Brings what is registered of an organisation in line with all repositories that it has. They are known by their ids: a
 * rename only changes the address, and one that is no longer there stops being deployed whatever has its name now.
 */
export async function takeListing(
  parts: ManagerParts,
  organisation: OrganisationRow,
  remotes: readonly RemoteRepository[],
): Promise<Found[]> {
  await adopt(parts, organisation, remotes)
  const rows = await parts.db
    .selectFrom('repositories')
    .selectAll()
    .where('organisation_id', '=', organisation.id)
    .execute()
  const found: Found[] = []
  const stops: Stop[] = []
  for (const row of rows.filter(({ remote_id: id }) => !remotes.some(remote => remote.id === id))) {
    const path = pathOf(parts, row)
    stops.push({ repository: row, why: REPOSITORY_LEFT(path, organisation.name) })
    found.push({ path, outcome: 'stopped', repository: row.name })
  }
  await stopAndTell(parts, organisation.name, stops)
  for (const remote of remotes) {
    const known = rows.filter(row => row.remote_id === remote.id)
    for (const row of known) {
      found.push(
        await unlessRefused({ path: remote.path, repository: row.name }, async () => ({
          path: remote.path,
          outcome: await follow(parts, row, remote),
          repository: row.name,
        })),
      )
    }
    if (known.length === 0) {
      const nothing = { path: remote.path, repository: undefined }
      found.push(await unlessRefused(nothing, () => consider(parts, organisation, remote)))
    }
  }
  return found
}

/**
 * Repositories that were registered before their organisation was listed, and those that were stopped when it was taken
 * off the list, are found by their address. One that had an id keeps it.
 */
async function adopt(
  parts: ManagerParts,
  organisation: OrganisationRow,
  remotes: readonly RemoteRepository[],
): Promise<void> {
  const { db, sealer } = parts
  const server = withoutPort(organisation.server)
  const byPath = new Map(remotes.map(remote => [remote.path.toLowerCase(), remote]))
  const credential = credentialOf(organisation, sealer)
  const rows = await db.selectFrom('repositories').selectAll().where('organisation_id', 'is', null).execute()
  for (const row of rows.filter(({ url }) => withoutPort(serverOf(url)) === server)) {
    const remote = byPath.get(pathOf(parts, row).toLowerCase())
    if (!remote || (row.remote_id !== null && row.remote_id !== remote.id)) {
      continue
    }
    const shared = credential ? sealedCredential(row.id, credential, sealer) : null
    await db
      .updateTable('repositories')
      .set({
        organisation_id: organisation.id,
        remote_id: remote.id,
        ...(row.org_credential === 1 ? { credential_sealed: shared } : {}),
      })
      .where('id', '=', row.id)
      .execute()
  }
}

/** A repository that is registered takes the address that its host says it has now. */
async function follow(parts: ManagerParts, row: Registered, remote: RemoteRepository): Promise<Outcome> {
  const isPrivate = privateColumn(remote)
  if (row.is_private !== isPrivate) {
    await parts.db
      .updateTable('repositories')
      .set({ is_private: isPrivate })
      .where('id', '=', row.id)
      .execute()
  }
  const isRenamed = !isAddressOf(row.url, remote.path)
  if (!isRenamed && row.stopped === null) {
    return 'known'
  }
  const moved = isRenamed ? movedTo(row.url, pathOf(parts, row), remote.path) : row.url
  const url = isRenamed ? parseRepositoryUrl(moved, parts.config).text : moved
  await parts.db
    .updateTable('repositories')
    .set({ url, stopped: null, poll_failures: 0, updated_at: parts.clock.now(), version: row.version + 1 })
    .where('id', '=', row.id)
    .execute()
  parts.poller.look(row.id)
  const outcome = isRenamed ? 'renamed' : 'resumed'
  parts.events.publish('repository', { id: row.id, repository: row.name, state: outcome })
  return outcome
}

/** Never merely because it appeared: who may make repositories could otherwise run what they like. */
async function consider(
  parts: ManagerParts,
  organisation: OrganisationRow,
  remote: RemoteRepository,
): Promise<Found> {
  const { path } = remote
  if (remote.unfit) {
    return { path, outcome: remote.unfit, repository: undefined }
  }
  if (organisation.discovery !== 1) {
    return { path, outcome: 'discovery-off', repository: undefined }
  }
  if (!(await isMarked(parts, organisation, remote))) {
    return { path, outcome: 'not-marked', repository: undefined }
  }
  const name = appNameOf(path)
  const wanted = {
    url: `https://${organisation.server}/${path}.git`,
    branch: remote.branch ?? 'main',
    host: organisation.host,
    auto_apps: true,
    ...(organisation.ca === null ? {} : { ca: organisation.ca }),
  }
  for (const free of [name, appNameOf(`${organisation.name}-${name}`)]) {
    try {
      const { name: repository } = await createRepository(
        parts,
        { ...wanted, name: free },
        { organisation, remote },
      )
      return { path, outcome: 'registered', repository }
    } catch (error) {
      if (!REPOSITORY_EXISTS.matches(asFairleadError(error))) {
        throw error
      }
    }
  }
  return { path, outcome: 'name-taken', repository: undefined }
}

/** Who may make a repository chooses its name and branch: one that cannot be used must not keep the others out. */
async function unlessRefused(
  about: Pick<Found, 'path' | 'repository'>,
  work: () => Promise<Found>,
): Promise<Found> {
  try {
    return await work()
  } catch (thrown) {
    const error = asFairleadError(thrown)
    if (!REFUSALS.includes(error.code)) {
      throw thrown
    }
    return { ...about, outcome: 'refused', reason: error.message }
  }
}

/** The path by which its server knows it; the whole address where that is no longer one that is accepted. */
function pathOf({ config }: ManagerParts, { url }: Registered): string {
  try {
    return pathIn(parseRepositoryUrl(url, config))
  } catch {
    return url
  }
}

/** The same server and way of access, another path. */
function movedTo(url: string, from: string, to: string): string {
  const ending = /\.git$/i.test(url) ? '.git' : ''
  const start = url.slice(0, url.length - ending.length - encodeURI(from).length)
  return `${start}${to}${ending}`
}

function withoutPort(server: string): string {
  return server.replace(/:\d+$/, '')
}

import type { NewRepository } from '#contract/rest/repositories.ts'
import { newId } from '#lib/id.ts'
import { hostFor } from '#manager/apps/host-for.ts'
import { type Origin, originOf } from '#manager/organisations/origin.ts'
import { credentialOf } from '#manager/organisations/queries.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { isConstraintViolation } from '#manager/store/store-error.ts'
import { checkedPath } from '#programs/git-names.ts'
import { REPOSITORY_EXISTS } from './errors.ts'
import { type RepositoryRecord, readRepository } from './queries.ts'
import { remoteColumns } from './remote-fields.ts'

const POLL_SECONDS = 300

/**
 * Adds a repository that is allowed; the poller looks at it at once. `known` is given for one that its organisation's
 * listing has just told of.
 */
export async function createRepository(
  parts: ManagerParts,
  wanted: NewRepository,
  known?: Origin,
): Promise<RepositoryRecord> {
  const { db, clock, events, config, sealer } = parts
  const origin = known ?? (await originOf(parts, wanted.url, config))
  const id = newId()
  const now = clock.now()
  const shared = wanted.credential ? undefined : sharedCredential(parts, wanted.url, origin)
  const remote = {
    id,
    url: wanted.url,
    branch: wanted.branch ?? 'main',
    credential: wanted.credential ?? shared,
  }
  const row = {
    id,
    name: wanted.name,
    credential_sealed: null,
    ...remoteColumns(remote, { sealer, allowPrivate: config.allowPrivate }),
    host: await hostFor(db, wanted.host),
    ca: wanted.ca ?? null,
    poll_seconds: wanted.poll_seconds ?? POLL_SECONDS,
    auto_apps: wanted.auto_apps ? 1 : 0,
    commit_actions: actionsColumn(wanted.commit_actions),
    is_private: privateColumn(origin?.remote),
    organisation_id: origin?.organisation.id ?? null,
    remote_id: origin?.remote.id ?? null,
    org_credential: shared ? 1 : 0,
    stopped: null,
    compose_path: wanted.compose_path === undefined ? null : checkedPath(wanted.compose_path),
    last_tip: null,
    last_polled_at: null,
    poll_failures: 0,
    problem: null,
    version: 1,
    created_at: now,
    updated_at: now,
  }
  try {
    await db.insertInto('repositories').values(row).execute()
  } catch (error) {
    throw isConstraintViolation(error) ? REPOSITORY_EXISTS(wanted.name) : error
  }
  parts.poller.look(id)
  events.publish('repository', { id, repository: row.name, state: 'created' })
  return await readRepository(db, row.name)
}

/** null: by whether it is private. */
export function actionsColumn(wanted: boolean | null | undefined): 0 | 1 | null {
  return wanted === undefined || wanted === null ? null : wanted ? 1 : 0
}

export function privateColumn(remote: Origin['remote'] | undefined): 0 | 1 | null {
  return remote?.isPrivate === undefined ? null : remote.isPrivate ? 1 : 0
}

/** Without one of its own a repository is read with the token of its organisation. */
export function sharedCredential({ sealer }: ManagerParts, url: string, origin: Origin | undefined) {
  return origin && url.startsWith('https:') ? credentialOf(origin.organisation, sealer) : undefined
}

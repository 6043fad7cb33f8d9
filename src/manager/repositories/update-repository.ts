import type { RepositoryChange } from '#contract/rest/repositories.ts'
import { VERSION_CHANGED } from '#manager/apps/errors.ts'
import type { Change } from '#manager/apps/update-app.ts'
import { originOf, pathIn } from '#manager/organisations/origin.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { reportAfter } from '#manager/reporting/set-report.ts'
import { checkedPath } from '#programs/git-names.ts'
import { authorityOf, parseRepositoryUrl, type RepositoryUrl } from '#programs/git-url.ts'
import { actionsColumn, privateColumn, sharedCredential } from './create-repository.ts'
import { CREDENTIAL_NEEDED } from './errors.ts'
import { type RepositoryRecord, readRepository } from './queries.ts'
import { remoteColumns } from './remote-fields.ts'

interface WantedChange extends Change<RepositoryChange> {
  /** Whether who asks may have another repository read with the credential of this one. */
  readonly mayLend: boolean
}

/** Changes a repository and has it looked at again, also when it was paused because of a problem. */
export async function updateRepository(parts: ManagerParts, wanted: WantedChange): Promise<RepositoryRecord> {
  const { db, clock, events, config, sealer } = parts
  const { change } = wanted
  const row = await readRepository(db, wanted.name)
  const report = change.report && reportAfter(row, change.report, sealer)
  const move = change.url === undefined ? undefined : await moveTo(parts, row, change.url)
  const remote = {
    id: row.id,
    url: change.url ?? row.url,
    branch: change.branch ?? row.branch,
    credential:
      change.credential === undefined ? credentialAfter(row, move, wanted.mayLend) : change.credential,
  }
  const result = await db
    .updateTable('repositories')
    .set({
      ...move?.columns,
      ...(change.credential === undefined ? {} : { org_credential: 0 }),
      ...remoteColumns(remote, { sealer, allowPrivate: config.allowPrivate }),
      ...(change.ca === undefined ? {} : { ca: change.ca }),
      ...(change.poll_seconds === undefined ? {} : { poll_seconds: change.poll_seconds }),
      ...(change.compose_path === undefined ? {} : { compose_path: checkedComposePath(change.compose_path) }),
      ...(change.auto_apps === undefined ? {} : { auto_apps: change.auto_apps ? 1 : 0 }),
      ...(change.commit_actions === undefined
        ? {}
        : { commit_actions: actionsColumn(change.commit_actions) }),
      ...(move?.isAnother || remote.branch !== row.branch ? { moved: 1 } : {}),
      poll_failures: 0,
      version: row.version + 1,
      updated_at: clock.now(),
    })
    .where('id', '=', row.id)
    .where('version', '=', wanted.version ?? row.version)
    .executeTakeFirst()
  if (move?.isAnother && result.numUpdatedRows > 0n) {
    // Its webhook belongs to the repository of the next signed delivery.
    await db.updateTable('hooks').set({ remote_id: null }).where('repository_id', '=', row.id).execute()
  }
  if (report && result.numUpdatedRows > 0n) {
    await db
      .insertInto('reports')
      .values(report)
      .onConflict(conflict => conflict.column('repository_id').doUpdateSet(report))
      .execute()
  }
  const now = await readRepository(db, wanted.name)
  if (result.numUpdatedRows === 0n) {
    throw VERSION_CHANGED(`The repository "${wanted.name}"`, now.version)
  }
  await parts.outbox.refresh()
  parts.poller.look(row.id)
  events.publish('repository', { id: row.id, repository: row.name, state: 'changed' })
  return now
}

/** Another address may be that of another organisation, and is as good as a new repository. */
async function moveTo(parts: ManagerParts, row: RepositoryRecord, address: string) {
  const origin = await originOf(parts, address, parts.config)
  const shared = row.org_credential === 1 ? sharedCredential(parts, address, origin) : undefined
  const to = parseRepositoryUrl(address, parts.config)
  // It was checked when it was stored, and may be of a range that is no longer allowed.
  const from = parseRepositoryUrl(row.url, { allowPrivate: ['0.0.0.0/0', '::/0'] })
  return {
    url: to,
    shared,
    // Paths that differ by capitals alone are two repositories for some servers.
    isSame: serverIn(from) === serverIn(to) && pathIn(from) === pathIn(to),
    isAnotherServer: serverIn(from) !== serverIn(to),
    isAnother: from.host !== to.host || pathIn(from).toLowerCase() !== pathIn(to).toLowerCase(),
    columns: {
      organisation_id: origin?.organisation.id ?? null,
      remote_id: origin?.remote.id ?? null,
      is_private: privateColumn(origin?.remote),
      org_credential: shared ? 1 : 0,
      stopped: null,
    },
  }
}

/**
 * A credential was given for one server. That of an organisation goes with the organisation. Neither shows another
 * repository to who could not have added it.
 */
function credentialAfter(
  row: RepositoryRecord,
  move: Awaited<ReturnType<typeof moveTo>> | undefined,
  mayLend: boolean,
) {
  if (move && !move.isSame && !mayLend && (row.credential_sealed !== null || move.shared)) {
    throw CREDENTIAL_NEEDED(move.url.text)
  }
  if (!move || row.credential_sealed === null) {
    return move?.shared
  }
  if (row.org_credential === 1) {
    return move.shared ?? null
  }
  if (move.isAnotherServer) {
    throw CREDENTIAL_NEEDED(authorityOf(move.url))
  }
  return undefined
}

function serverIn({ protocol, host, port }: RepositoryUrl): string {
  return `${protocol} ${host} ${port}`
}

function checkedComposePath(path: string | null): string | null {
  return path === null ? null : checkedPath(path)
}

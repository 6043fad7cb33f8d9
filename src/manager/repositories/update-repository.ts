import type { RepositoryChange } from '#contract/rest/repositories.ts'
import { VERSION_CHANGED } from '#manager/apps/errors.ts'
import type { Change } from '#manager/apps/update-app.ts'
import { originOf } from '#manager/organisations/origin.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { reportAfter } from '#manager/reporting/set-report.ts'
import { checkedPath } from '#programs/git-names.ts'
import { type RepositoryRecord, readRepository } from './queries.ts'
import { remoteColumns } from './remote-fields.ts'

/** Changes a repository and has it looked at again, also when it was paused because of a problem. */
export async function updateRepository(
  parts: ManagerParts,
  wanted: Change<RepositoryChange>,
): Promise<RepositoryRecord> {
  const { db, clock, events, config, sealer } = parts
  const { change } = wanted
  const row = await readRepository(db, wanted.name)
  const remote = {
    id: row.id,
    url: change.url ?? row.url,
    branch: change.branch ?? row.branch,
    credential: change.credential,
  }
  const report = change.report && reportAfter(row, change.report, sealer)
  const origin = change.url === undefined ? undefined : await originColumns(parts, change.url)
  const result = await db
    .updateTable('repositories')
    .set({
      ...origin,
      ...(change.credential === undefined ? {} : { org_credential: 0 }),
      ...remoteColumns(remote, { sealer, allowPrivate: config.allowPrivate }),
      ...(change.ca === undefined ? {} : { ca: change.ca }),
      ...(change.poll_seconds === undefined ? {} : { poll_seconds: change.poll_seconds }),
      ...(change.compose_path === undefined ? {} : { compose_path: checkedComposePath(change.compose_path) }),
      ...(change.auto_apps === undefined ? {} : { auto_apps: change.auto_apps ? 1 : 0 }),
      ...(change.commit_actions === undefined ? {} : { commit_actions: change.commit_actions ? 1 : 0 }),
      poll_failures: 0,
      version: row.version + 1,
      updated_at: clock.now(),
    })
    .where('id', '=', row.id)
    .where('version', '=', wanted.version ?? row.version)
    .executeTakeFirst()
  if (report && result.numUpdatedRows > 0n) {
    await db.replaceInto('reports').values(report).execute()
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
async function originColumns(parts: ManagerParts, url: string) {
  const origin = await originOf(parts, url, parts.config)
  return {
    organisation_id: origin?.organisation.id ?? null,
    remote_id: origin?.remote.id ?? null,
    stopped: null,
  }
}

function checkedComposePath(path: string | null): string | null {
  return path === null ? null : checkedPath(path)
}

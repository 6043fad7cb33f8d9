import type { Kysely } from 'kysely'
import type { CommitResult } from '#contract/rest/result.ts'
import type { Tables } from '#manager/store/tables.ts'
import { readDetail } from './queries.ts'
import { resultOf } from './result.ts'

/** The last deployment from this commit of each app of the repository, taken together: as one job would tell it. */
export async function resultOfCommit(
  db: Kysely<Tables>,
  repositoryId: string,
  commit: string,
): Promise<CommitResult> {
  const rows = await db
    .selectFrom('deployments')
    .innerJoin('apps', 'apps.id', 'deployments.app_id')
    .select(['deployments.id', 'deployments.app_id', 'deployments.state', 'deployments.commit'])
    .where('apps.repository_id', '=', repositoryId)
    .where('deployments.state', '!=', 'superseded')
    .where(eb =>
      eb.or([
        eb('deployments.commit', '=', commit),
        eb('deployments.wanted_commit', '=', commit),
        // Which commit the branch has is found out by the deployment itself.
        eb.and([
          eb('deployments.state', 'in', ['queued', 'running']),
          eb('deployments.kind', '=', 'deploy'),
          eb('deployments.commit', 'is', null),
          eb('deployments.wanted_commit', 'is', null),
          eb('deployments.wanted_release', 'is', null),
        ]),
      ]),
    )
    .orderBy('deployments.id')
    .execute()
  const isOpen = rows.some(({ state }) => ['queued', 'running'].includes(state))
  const known = rows.filter(row => row.commit === commit || row.commit === null)
  const last = [...new Map(known.map(row => [row.app_id, row])).values()]
  const details = await Promise.all(last.map(async ({ id }) => await readDetail(db, id)))
  const isGood = last.every(({ state }) => state === 'succeeded')
  return {
    commit,
    state: isOpen ? 'running' : last.length === 0 ? 'none' : isGood ? 'succeeded' : 'failed',
    deployments: last.map(({ id }) => id),
    result: Object.assign({}, ...details.map(({ deployment, steps }) => resultOf(deployment, steps))),
  }
}

import type { Deployment } from '#manager/deployments/deployment.ts'
import { type DeploymentsContext, requestDeployment } from '#manager/deployments/request.ts'
import { keptReleases } from '#manager/releases/queries.ts'
import { RELEASE_NOT_FOUND } from './errors.ts'
import { readApp } from './queries.ts'

export interface RollbackRequest {
  readonly app: string
  /** Default: the one that ran before the one that runs. */
  readonly release: string | undefined
  readonly by: string
}

/** Requests a deployment that brings an earlier release back: without its source, and without a build. */
export async function rollBack(context: DeploymentsContext, wanted: RollbackRequest): Promise<Deployment> {
  const app = await readApp(context.db, wanted.app)
  const release =
    wanted.release === undefined
      ? // A release that was brought back counts once, so that going back twice does not lead to the same.
        (await keptReleases(context.db, app.id, 2))[1]
      : await namedRelease(context, app.id, wanted.release)
  if (!release) {
    throw RELEASE_NOT_FOUND(app.name, wanted.release)
  }
  const trigger = { kind: 'rollback', by: wanted.by } as const
  return await requestDeployment(context, {
    appId: app.id,
    kind: 'rollback',
    trigger,
    commit: release.commit,
    release: release.id,
  })
}

async function namedRelease({ db }: DeploymentsContext, appId: string, id: string) {
  return await db
    .selectFrom('releases')
    .select(['id', 'commit'])
    .where('app_id', '=', appId)
    .where('id', '=', id)
    .executeTakeFirst()
}

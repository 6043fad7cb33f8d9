import type { Deployment } from '#manager/deployments/deployment.ts'
import { type DeploymentsContext, requestDeployment } from '#manager/deployments/request.ts'
import { RELEASE_NOT_FOUND } from './errors.ts'
import { readApp } from './queries.ts'

export interface RollbackRequest {
  readonly app: string
  /** Default: the release before the newest. */
  readonly release: string | undefined
  readonly by: string
}

/** Requests a deployment that brings an earlier release back, without building. */
export async function rollBack(context: DeploymentsContext, wanted: RollbackRequest): Promise<Deployment> {
  const app = await readApp(context.db, wanted.app)
  const releases = await context.db
    .selectFrom('releases')
    .select(['id', 'commit'])
    .where('app_id', '=', app.id)
    .orderBy('id', 'desc')
    .execute()
  const release =
    wanted.release === undefined ? releases[1] : releases.find(({ id }) => id === wanted.release)
  if (!release) {
    throw RELEASE_NOT_FOUND(app.name, wanted.release)
  }
  const trigger = { kind: 'rollback', by: wanted.by } as const
  // Its images are named by their content, so what is still in the registry or the engine is not built again.
  return await requestDeployment(context, {
    appId: app.id,
    kind: 'rollback',
    trigger,
    commit: release.commit,
    release: release.id,
  })
}

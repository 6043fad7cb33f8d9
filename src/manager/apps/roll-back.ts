import type { Deployment } from '#manager/deployments/deployment.ts'
import { type DeploymentsContext, requestDeployment } from '#manager/deployments/request.ts'
import { keptReleases } from '#manager/releases/queries.ts'
import { SYSTEM_NOT_ROLLED_BACK } from '#manager/systems/errors.ts'
import { system } from '#targets/system.ts'
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
  if (app.target === system.name) {
    throw SYSTEM_NOT_ROLLED_BACK(app.name)
  }
  const { release, previous } =
    wanted.release === undefined
      ? await oneBack(context, app.id)
      : { release: await namedRelease(context, app.id, wanted.release), previous: false }
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
    previous,
  })
}

/**
 * One release back from what a person sees. While a new one is being brought that is not yet on its way to visitors,
 * what runs is known when the rollback begins. Once it is, the person may look at it already: back from it is the
 * release that was made last, however the new one ends.
 */
async function oneBack({ db }: DeploymentsContext, appId: string) {
  // A release that was brought back counts once, so that going back twice does not lead to the same.
  const [newest, before] = await keptReleases(db, appId, 2)
  const running = await db
    .selectFrom('deployments')
    .leftJoin('steps', join =>
      join.onRef('steps.deployment_id', '=', 'deployments.id').on('steps.name', '=', 'apply'),
    )
    .select(['deployments.wanted_release', 'steps.started_at as applied'])
    .where('deployments.app_id', '=', appId)
    .where('deployments.state', '=', 'running')
    .executeTakeFirst()
  if (!running) {
    return { release: before, previous: true }
  }
  if (running.wanted_release === before?.id || running.wanted_release === newest?.id) {
    // Asked for once more while it is at work, or while what runs is mended: still the same one.
    return { release: before, previous: false }
  }
  return running.applied === null
    ? { release: before ?? newest, previous: true }
    : { release: newest, previous: false }
}

async function namedRelease({ db }: DeploymentsContext, appId: string, id: string) {
  return await db
    .selectFrom('releases')
    .select(['id', 'commit'])
    .where('app_id', '=', appId)
    .where('id', '=', id)
    .executeTakeFirst()
}

import type { Trigger } from '#manager/deployments/deployment.ts'
import { APP_BEING_REMOVED } from '#manager/deployments/errors.ts'
import { type DeploymentsContext, requestDeployment } from '#manager/deployments/request.ts'
import { compiledOnce } from '#manager/store/compiled-once.ts'

/** Somebody says that a repository has news. */
export interface News {
  readonly repository: string
  readonly trigger: Trigger
  /** That have news; undefined: any may. */
  readonly branches?: readonly string[] | undefined
  /** Ids of the apps that it is about; undefined: all. */
  readonly apps?: readonly string[] | undefined
}

export type Asked =
  | { readonly kind: 'accepted'; readonly deployments: readonly string[]; readonly look: string | undefined }
  | { readonly kind: 'ignored'; readonly reason: string }

/** Requests deployments of the apps of a repository that has news, or a look at it where that alone finds them. */
export async function askRepository(context: DeploymentsContext, news: News): Promise<Asked> {
  const rows = await repositoryWithApps(context.db, { id: news.repository })
  const [repository] = rows
  if (!repository || (news.branches !== undefined && !news.branches.includes(repository.branch))) {
    return { kind: 'ignored', reason: 'other-branch' }
  }
  if (repository.stopped !== null) {
    return { kind: 'ignored', reason: 'stopped' }
  }
  const apps = rows.map(row => row.app).filter(app => app !== null)
  // A look finds apps that nobody has created yet, and clears a problem that kept the repository from being polled.
  const wantsLook = (apps.length === 0 && repository.auto_apps === 1) || repository.problem !== null
  if (apps.length === 0 && !wantsLook) {
    return { kind: 'ignored', reason: 'no-apps' }
  }
  const deployments = await requestEach(context, news.apps ?? apps, news.trigger)
  return { kind: 'accepted', deployments, look: wantsLook ? news.repository : undefined }
}

const repositoryWithApps = compiledOnce((db, { id }: { id: string }) =>
  db
    .selectFrom('repositories')
    .leftJoin('apps', 'apps.repository_id', 'repositories.id')
    .select(['branch', 'auto_apps', 'problem', 'stopped', 'apps.id as app'])
    .where('repositories.id', '=', id),
)

/** Those that are being removed are left alone. */
export async function requestEach(
  context: DeploymentsContext,
  appIds: readonly string[],
  trigger: Trigger,
): Promise<string[]> {
  const deployments: string[] = []
  for (const appId of appIds) {
    try {
      deployments.push((await requestDeployment(context, { appId, kind: 'deploy', trigger })).id)
    } catch (error) {
      if (!APP_BEING_REMOVED.matches(error)) {
        throw error
      }
    }
  }
  return deployments
}

import type { StepContext } from './step.ts'
import { tellWorker } from './tell-worker.ts'

/** Checkouts are there for going back without asking the Git server. */
const MOST_RELEASES = 50

/**
 * Removes the checkouts of the app's repository that no release and no deployment needs any more: besides those of
 * `keep` and of other deployments at work, the ones of released commits stay, but not of an app that is being removed.
 */
export async function forgetCheckouts(context: StepContext, keep: readonly string[]): Promise<void> {
  const { repository, app, deployment, parts } = context
  if (!repository) {
    return
  }
  let releases = parts.db
    .selectFrom('releases')
    .innerJoin('apps', 'apps.id', 'releases.app_id')
    .select(['releases.commit', 'releases.confirmed_commit'])
    .distinct()
    .where('apps.repository_id', '=', repository.id)
    .orderBy('releases.id', 'desc')
    .limit(MOST_RELEASES)
  if (deployment.kind === 'remove') {
    releases = releases.where('apps.id', '!=', app.id)
  }
  const others = parts.db
    .selectFrom('deployments')
    .innerJoin('apps', 'apps.id', 'deployments.app_id')
    .select('deployments.commit')
    .where('apps.repository_id', '=', repository.id)
    .where('deployments.id', '!=', deployment.id)
    .where('deployments.state', 'in', ['running', 'waiting'])
  const [released, open] = await Promise.all([releases.execute(), others.execute()])
  const needed = [
    ...keep,
    ...released.flatMap(row => [row.commit, row.confirmed_commit ?? row.commit]),
    ...open.flatMap(row => row.commit ?? []),
  ]
  await tellWorker(context, {
    key: 'forget',
    command: 'repository.forget',
    data: { repository: repository.id, keep: [...new Set(needed)] },
  })
}

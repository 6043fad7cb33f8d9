import { keptReleases } from '#manager/releases/queries.ts'
import { joinedIn } from './source.ts'
import type { StepContext } from './step.ts'
import { tellWorker } from './tell-worker.ts'

/**
 * Removes the checkouts of the app's repository that nothing needs any more: those of `keep`, of the newest release of
 * each app and of other deployments at work stay. Files that containers mount are kept apart from checkouts. The commits of
 * releases that can be gone back to stay in the mirror, but not of an app that is being removed.
 */
export async function forgetCheckouts(context: StepContext, keep: readonly string[]): Promise<void> {
  const { repository, deployment, parts } = context
  if (!repository) {
    return
  }
  const open = await parts.db
    .selectFrom('deployments')
    .innerJoin('apps', 'apps.id', 'deployments.app_id')
    .select(['deployments.commit', 'deployments.wanted_commit', 'deployments.remotes'])
    .where('apps.repository_id', '=', repository.id)
    .where('deployments.id', '!=', deployment.id)
    .where('deployments.kind', 'not in', ['remove', 'stop'])
    .where('deployments.state', 'in', ['running', 'waiting'])
    .execute()
  if (open.some(row => row.commit === null && row.wanted_commit === null)) {
    // Which commit it has just checked out is not known yet: the next deployment tidies up.
    return
  }
  const releases = await releasesOf(context, repository.id)
  const checkouts = [
    ...keep,
    ...releases.flatMap(([newest]) =>
      newest ? [newest.commit, newest.confirmed_commit ?? newest.commit, ...joinedCommit(newest)] : [],
    ),
    ...open.flatMap(joinedCommit),
    ...open.flatMap(row => row.commit ?? row.wanted_commit ?? []),
  ]
  const commits = releases.flat().flatMap(release => [release.commit, ...joinedCommit(release)])
  await tellWorker(context, {
    key: 'forget',
    command: 'repository.forget',
    data: {
      repository: repository.id,
      keep: [...new Set(checkouts)],
      commits: [...new Set(commits)].filter(commit => !checkouts.includes(commit)),
    },
  })
}

function joinedCommit(row: { readonly remotes: string | null }): string[] {
  return [joinedIn(row)?.checkout ?? []].flat()
}

/** What each app of the repository can go back to, what runs first. */
async function releasesOf({ parts, app, deployment }: StepContext, repository: string) {
  const apps = await parts.db
    .selectFrom('apps')
    .select('id')
    .where('repository_id', '=', repository)
    .execute()
  const staying = apps.filter(({ id }) => id !== app.id || deployment.kind !== 'remove')
  return await Promise.all(staying.map(({ id }) => keptReleases(parts.db, id, parts.keepReleases)))
}

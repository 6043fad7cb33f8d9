import type { Kysely } from 'kysely'
import type { CommitResult } from '#contract/rest/result.ts'
import type { Tables } from '#manager/store/tables.ts'
import type { Deployment } from './deployment.ts'
import { pastOfCommit } from './past.ts'
import { readDetail } from './queries.ts'
import { resultOf } from './result.ts'
import { deploymentFrom } from './rows.ts'

/**
 * The last deployment from this commit of each app of the repository, or the removal that it led to, taken together: as
 * one job would tell it. Apps that are gone since count too.
 */
export async function resultOfCommit(
  db: Kysely<Tables>,
  repositoryId: string,
  commit: string,
): Promise<CommitResult> {
  const present = await presentOfCommit(db, repositoryId, commit)
  // In this order: whatever goes meanwhile is in one of the two.
  const past = await pastOfCommit(db, { repositoryId, commit })
  const paused = await heldApps(db, repositoryId)
  const goesOn = (each: Deployment) => isOpen(each) && (each.state === 'running' || !paused.has(each.appId))
  const said = [...past, ...present.filter(each => (each.commit ?? commit) === commit)]
  // What a paused app will read one day is another commit, if it has done something with this one.
  const isLater = (each: Deployment) =>
    isUnread(each) && !goesOn(each) && said.some(other => other.app === each.app && !isUnread(other))
  const known = withoutSuperseded(
    said.filter(each => !isLater(each)),
    each => each,
  ).toSorted((one, other) => (one.id < other.id ? -1 : 1))
  const last = [...new Map(known.map(each => [each.app, each.id])).values()]
  const looks = await Promise.all(last.map(async id => await readDetail(db, id)))
  const followed = await Promise.all(
    looks.map(async look => {
      const removal = removalIn(look.deployment)
      return removal === undefined ? look : await readDetail(db, removal)
    }),
  )
  const details = withoutSuperseded(followed, ({ deployment }) => deployment)
  const deployments = details.map(({ deployment }) => deployment)
  return {
    commit,
    state: present.some(goesOn) ? 'running' : stateOf(deployments, goesOn),
    deployments: deployments.map(({ id }) => id),
    result: Object.assign({}, ...details.map(({ deployment, steps }) => resultOf(deployment, steps))),
  }
}

/** What was superseded counts only where there is nothing else. */
function withoutSuperseded<Each>(
  all: readonly Each[],
  deploymentOf: (each: Each) => Deployment,
): readonly Each[] {
  const others = all.filter(each => deploymentOf(each).state !== 'superseded')
  return others.length > 0 ? others : all
}

function stateOf(
  deployments: readonly Deployment[],
  goesOn: (deployment: Deployment) => boolean,
): CommitResult['state'] {
  if (deployments.length === 0) {
    return 'none'
  }
  if (deployments.some(goesOn)) {
    return 'running'
  }
  if (deployments.every(({ state }) => state === 'succeeded')) {
    return 'succeeded'
  }
  if (deployments.every(({ state }) => state === 'superseded')) {
    return 'superseded'
  }
  const waits = ({ state }: Deployment) => state === 'waiting' || state === 'queued'
  return deployments.every(each => each.state === 'succeeded' || waits(each)) ? 'waiting' : 'failed'
}

/** It looks at the branch when it starts. */
function isUnread({ commit, wantedCommit }: Deployment): boolean {
  return commit === undefined && wantedCommit === undefined
}

/** Their deployments begin when a person resumes or starts them. */
async function heldApps(db: Kysely<Tables>, repositoryId: string): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom('apps')
    .select('id')
    .where('repository_id', '=', repositoryId)
    .where(eb => eb.or([eb('paused_at', 'is not', null), eb('stopped_at', 'is not', null)]))
    .execute()
  return new Set(rows.map(({ id }) => id))
}

/** Goes on by itself: one that a person has agreed to does. */
function isOpen({ state, approved }: Deployment): boolean {
  return state === 'queued' || state === 'running' || (state === 'waiting' && approved !== undefined)
}

/** The deployment that takes the app down, when the commit wants it no more. */
function removalIn({ outcome, evidence }: Deployment): string | undefined {
  return outcome === 'files-gone'
    ? (evidence as { readonly removal?: string } | undefined)?.removal
    : undefined
}

async function presentOfCommit(
  db: Kysely<Tables>,
  repositoryId: string,
  commit: string,
): Promise<Deployment[]> {
  const rows = await db
    .selectFrom('deployments')
    .innerJoin('apps', 'apps.id', 'deployments.app_id')
    .selectAll('deployments')
    .select('apps.name as app')
    .where('apps.repository_id', '=', repositoryId)
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
    .execute()
  return rows.map(deploymentFrom)
}

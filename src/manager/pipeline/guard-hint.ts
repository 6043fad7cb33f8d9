import type { Selectable } from 'kysely'
import { isHint } from '#manager/deployments/deployment.ts'
import type { WithoutEffect } from '#manager/deployments/without-effect.ts'
import type { RepositoryTable } from '#manager/store/tables.ts'
import { type Lineage, lineageOf } from '#manager/triggers/lineage.ts'
import type { Source } from './source.ts'
import type { StepContext } from './step.ts'

/** Why a deployment that nobody asked for ends before it begins. */
export interface Guarded {
  readonly outcome: WithoutEffect
  readonly words: string
}

/**
 * Looks whether a push is a reason to deploy. A message can only keep a deployment from happening: whoever may push may
 * write one. A CI job has said that it wants this commit; only that Fairlead made it is a reason not to. `undefined`: go on.
 */
export async function guardHint(
  context: StepContext,
  source: Source,
  heldCommit: string | undefined,
): Promise<Guarded | undefined> {
  const { parts, repository, deployment, facts } = context
  const isJob = deployment.trigger.kind === 'ci'
  if (!repository || !(isJob || isHint(deployment.trigger))) {
    return undefined
  }
  const lineage = await lineageOf(parts.db, repository.id, source.commit)
  const isKnown = lineage.skips !== undefined
  if (isJob) {
    return isKnown ? await guardOwnCommit(context, lineage) : undefined
  }
  facts.isReport = isKnown || (await isReport(context, repository, source.deployId))
  if (heldCommit !== undefined && lineage.commits.includes(heldCommit)) {
    const words =
      'the app was rolled back from this commit: it stays so until a new commit, or until you deploy'
    return { outcome: 'held-by-rollback', words }
  }
  // Our own message asks the Git host not to run its pipelines. What it says of others is not known here.
  const isSkipped = lineage.skips ?? (source.skips === true && !facts.isReport)
  if (isSkipped && deployment.trigger.kind !== 'schedule') {
    const words = 'the message of the commit asks for no deployment: "fairlead deploy" deploys it'
    return { outcome: 'skipped-by-message', words }
  }
  return isKnown ? await guardOwnCommit(context, lineage) : undefined
}

async function guardOwnCommit(
  context: StepContext,
  { commits, origin }: Pick<Lineage, 'commits' | 'origin'>,
): Promise<Guarded | undefined> {
  return (await wasSeen(context, commits))
    ? { outcome: 'own-commit', words: `only Fairlead has pushed since ${origin.slice(0, 12)}` }
    : undefined
}

/** Whether a message names a deployment of this repository: what it says of the commit is proven by its content alone. */
async function isReport(
  { parts: { db } }: StepContext,
  repository: Selectable<RepositoryTable>,
  deployId: string | undefined,
): Promise<boolean> {
  if (deployId === undefined) {
    return false
  }
  const row = await db
    .selectFrom('deployments')
    .innerJoin('apps', 'apps.id', 'deployments.app_id')
    .select('deployments.id')
    .where('deployments.id', '=', deployId)
    .where('apps.repository_id', '=', repository.id)
    .executeTakeFirst()
  return row !== undefined
}

/**
 * Whether a deployment before this one has seen one of these commits. Also when something else was deployed since: a
 * person may have gone back to an older commit, and our report about that is no reason to leave it again.
 */
async function wasSeen(
  { parts: { db }, app, deployment }: StepContext,
  commits: readonly string[],
): Promise<boolean> {
  const row = await db
    .selectFrom('deployments')
    .select('id')
    .where('app_id', '=', app.id)
    .where('id', '<', deployment.id)
    .where('state', '!=', 'superseded')
    .where('commit', 'in', commits)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

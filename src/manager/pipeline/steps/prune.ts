import { done, type Step, type StepContext, type StepOutcome } from '#manager/pipeline/step.ts'
import { tellWorker } from '#manager/pipeline/tell-worker.ts'

/** Removes what the new release replaced. The release already serves: a failure here is for the next time. */
export const prune: Step = { name: 'prune', deadlineMs: 30 * 60_000, onFailure: 'ignore', run: pruneOld }

async function pruneOld(context: StepContext): Promise<StepOutcome> {
  const tells = context.facts.plan?.prune ?? []
  for (const tell of tells) {
    await tellWorker(context, tell)
  }
  await forgetCheckouts(context)
  return done()
}

async function forgetCheckouts(context: StepContext): Promise<void> {
  const { repository, facts, parts } = context
  if (!repository || !facts.source) {
    return
  }
  const used = await parts.db
    .selectFrom('releases')
    .innerJoin('apps', 'apps.id', 'releases.app_id')
    .select(['releases.commit', 'releases.confirmed_commit'])
    .distinct()
    .where('apps.repository_id', '=', repository.id)
    .orderBy('releases.id', 'desc')
    .limit(50)
    .execute()
  const open = await parts.db
    .selectFrom('deployments')
    .innerJoin('apps', 'apps.id', 'deployments.app_id')
    .select('deployments.commit')
    .where('apps.repository_id', '=', repository.id)
    .where('deployments.state', 'in', ['running', 'waiting'])
    .execute()
  const keep = new Set([
    facts.source.commit,
    ...used.flatMap(row => [row.commit, row.confirmed_commit ?? row.commit]),
    ...open.flatMap(row => row.commit ?? []),
  ])
  await tellWorker(context, {
    key: 'forget',
    command: 'repository.forget',
    data: { repository: repository.id, keep: [...keep] },
  })
}

import { NOTHING_TO_DEPLOY } from '#manager/pipeline/errors.ts'
import { fetchSource, type Source } from '#manager/pipeline/source.ts'
import { done, type Step, type StepContext, type StepOutcome } from '#manager/pipeline/step.ts'
import { tellWorker } from '#manager/pipeline/tell-worker.ts'

/** Brings the commit into the worker's workspace. A trigger only says "look": the tip of the branch is read here. */
export const checkout: Step = {
  name: 'checkout',
  deadlineMs: 5 * 60_000,
  run: checkoutCommit,
  recall: fetchFacts,
}

async function checkoutCommit(context: StepContext): Promise<StepOutcome> {
  const source = await fetchFacts(context)
  await context.parts.db
    .updateTable('deployments')
    .set({ commit: source.commit, commit_subject: source.subject })
    .where('id', '=', context.deployment.id)
    .execute()
  context.say(`commit ${source.commit.slice(0, 12)} ${source.subject}`)
  return done({ commit: source.commit, subject: source.subject, author: source.author })
}

async function fetchFacts(context: StepContext): Promise<Source> {
  const { repository, deployment, parts, facts } = context
  if (!repository) {
    throw NOTHING_TO_DEPLOY(deployment.wantedCommit ?? 'unknown')
  }
  const ask = (tell: Parameters<typeof tellWorker>[1]) => tellWorker(context, tell)
  const source = await fetchSource(ask, repository, {
    sealer: parts.sealer,
    commit: deployment.wantedCommit,
    // A webhook says that the tip moved: asking first would only cost time.
    known: deployment.trigger.kind === 'webhook' ? undefined : await lastCommit(context),
  })
  facts.source = source
  return source
}

async function lastCommit({ parts, app }: StepContext): Promise<string | undefined> {
  const release = await parts.db
    .selectFrom('releases')
    .select('commit')
    .where('app_id', '=', app.id)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  return release?.commit
}

import type { Deployment, Trigger } from '#manager/deployments/deployment.ts'
import { NOTHING_TO_DEPLOY } from '#manager/pipeline/errors.ts'
import { fetchSource } from '#manager/pipeline/source.ts'
import { done, type Step, type StepContext, type StepOutcome } from '#manager/pipeline/step.ts'
import { tellWorker } from '#manager/pipeline/tell-worker.ts'
import { newestRelease } from '#manager/releases/queries.ts'
import { SOON } from '#manager/store/soon.ts'

/** Brings the commit into the worker's workspace. A trigger only says "look": the tip of the branch is read here. */
export const checkout: Step = {
  name: 'checkout',
  deadlineMs: 5 * 60_000,
  run: checkoutCommit,
  recall: fetchFacts,
}

async function checkoutCommit(context: StepContext): Promise<StepOutcome> {
  const { source, heldCommit } = await fetchFacts(context)
  await context.parts.db
    .updateTable('deployments')
    .set({ commit: source.commit, commit_subject: source.subject })
    .where('id', '=', context.deployment.id)
    .modifyEnd(SOON)
    .execute()
  context.say(`commit ${source.commit.slice(0, 12)} ${source.subject}`)
  if (source.commit === heldCommit && isHint(context.deployment.trigger)) {
    context.say(
      'the app was rolled back from this commit: it stays so until a new commit, or until you deploy',
    )
    return { kind: 'finished', outcome: 'held-by-rollback', evidence: null }
  }
  return done({ commit: source.commit, subject: source.subject, author: source.author })
}

/** Says "look", not "deploy this": nobody decided that what was rolled back from shall come again. */
function isHint({ kind }: Trigger): boolean {
  return kind === 'webhook' || kind === 'poll'
}

/** What was approved is the plan of one commit, wherever the branch is by now. */
function approvedCommit({ approved, commit }: Deployment): string | undefined {
  return approved && commit
}

async function fetchFacts(context: StepContext) {
  const { repository, app, deployment, parts, facts } = context
  if (!repository) {
    throw NOTHING_TO_DEPLOY(deployment.wantedCommit ?? 'unknown')
  }
  const ask = (tell: Parameters<typeof tellWorker>[1]) => tellWorker(context, tell)
  const newest = await newestRelease(parts.db, app.id)
  const source = await fetchSource(ask, repository, {
    sealer: parts.sealer,
    commit: approvedCommit(deployment) ?? deployment.wantedCommit,
    // A webhook says that the tip moved: asking first would only cost time.
    known: deployment.trigger.kind === 'webhook' ? undefined : (newest?.confirmed_commit ?? newest?.commit),
  })
  facts.source = source
  return { source, heldCommit: newest?.held_commit ?? undefined }
}
